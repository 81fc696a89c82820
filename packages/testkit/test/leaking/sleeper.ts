/** Lives until it is killed. */
process.on('message', () => {});

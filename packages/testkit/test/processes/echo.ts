/** Answers every message, throws on 'throw' and ends on 'end'. */
process.on('message', (message) => {
  if (message === 'throw') throw new Error('told to throw');
  if (message === 'end') process.disconnect?.();
  else process.send?.({ echo: message, args: process.argv.slice(2), setting: process.env['SETTING'] });
});
process.stdout.write('ready\n');
process.send?.({ echo: 'ready' });

/**
 * A wall clock that can be wrong, in every thread of the process: preloaded (`--import`) before anything has taken hold
 * of `Date`. The monotonic clock is left alone, as it is on a machine whose time is set.
 */
const CHANNEL = 'millrace-faults-clock';

const realNow = Date.now.bind(Date);
let shiftMs = 0;

Date.now = () => realNow() + shiftMs;

const channel = new BroadcastChannel(CHANNEL);
channel.addEventListener('message', ({ data }: { readonly data?: unknown }) => {
  shiftMs = Number(data);
});
channel.unref();

/** For all threads of this process. */
export function shiftClock(ms: number): void {
  shiftMs = ms;
  channel.postMessage(ms);
}

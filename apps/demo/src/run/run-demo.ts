/** One run of the demo on a given Redis and history, from the first worker to the verdict. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'millrace';
import type { Admin, Millrace } from 'millrace';

import { CHANGES } from '../changes-topic.ts';
import type { GitHistory } from '../history/git-history.ts';
import { Sink } from '../sink/sink.ts';
import type { Kill, PartitionHistory } from '../verdict/evidence.ts';
import { judge } from '../verdict/judge.ts';
import type { Verdict } from '../verdict/judge.ts';
import { depart } from './depart.ts';
import { feedChanges } from './feed-changes.ts';
import { GroupWatch } from './group-watch.ts';
import type { GroupStanding } from './group-watch.ts';
import { isAlive, report } from './run-state.ts';
import type { RunState } from './run-state.ts';
import { chooseRate, planDepartures, recordsBeforeHold } from './schedule.ts';
import { StallDetector } from './stall-detector.ts';
import { WorkerFleet } from './worker-fleet.ts';

export interface RunRequest {
  readonly redisUrl: string;
  readonly history: GitHistory;
  readonly records: number;
  /** Shown to the person. */
  readonly title: string;
  readonly workers: number;
  readonly partitions: number;
  readonly kill: number;
  readonly rate: number | undefined;
  /** Called once, before anything happens; the state is updated from then on. */
  onStart(state: RunState): void;
  /** Told what could not be deleted. */
  onLeftOver(text: string): void;
  /** Ends the run early; it rejects with the reason, after everything was taken down. */
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly verdict: Verdict;
  readonly killed: number;
  /** Stale commits that millrace refused, and stale writes that the sink refused. */
  readonly staleCommitsRefused: number;
  /** Workers that ended by themselves. */
  readonly failed: number;
  /** From the first record sent to the last one committed. */
  readonly seconds: number;
}

const GROUP = 'tree-builders';
const STALL_LIMIT_MS = 30_000;
const LOOK_INTERVAL_MS = 100;

export async function runDemo(request: RunRequest): Promise<RunResult> {
  const state = startState(request);
  request.onStart(state);
  const prefix = `millrace-demo-${randomUUID().slice(0, 8)}`;
  await using millrace = await connect({ url: request.redisUrl, prefix, name: 'demo' });
  await using sink = await Sink.connect(request.redisUrl, prefix, 'demo');
  await using cleanup = new AsyncDisposableStack();
  // Taken down in reverse: first the workers, then what they worked on.
  cleanup.defer(async () => {
    try {
      await removeData(millrace.admin, sink, state);
    } catch (error) {
      // Thrown, it would hide what ended the run.
      const reason = error instanceof Error ? error.message : String(error);
      request.onLeftOver(`keys that begin with ${prefix} are left in Redis: ${reason}`);
    }
  });
  const fleet = cleanup.use(
    new WorkerFleet({
      trouble: (worker, text) => report(state, Date.now(), 'trouble', `${worker.name}: ${text}`),
      lost: (worker, reason, partitions) =>
        report(state, Date.now(), 'trouble', `${worker.name} has lost ${partitions} partitions: ${reason}`),
    }),
  );
  return await new Run(request, state, millrace, sink, fleet, prefix).play();
}

class Run {
  readonly #request: RunRequest;
  readonly #state: RunState;
  readonly #millrace: Millrace;
  readonly #sink: Sink;
  readonly #fleet: WorkerFleet;
  readonly #prefix: string;
  readonly #watch: GroupWatch;
  #standing: GroupStanding = { isSettled: false, lag: 0 };

  constructor(
    request: RunRequest,
    state: RunState,
    millrace: Millrace,
    sink: Sink,
    fleet: WorkerFleet,
    prefix: string,
  ) {
    this.#request = request;
    this.#state = state;
    this.#millrace = millrace;
    this.#sink = sink;
    this.#fleet = fleet;
    this.#prefix = prefix;
    this.#watch = new GroupWatch(millrace.admin, GROUP, state);
  }

  async play(): Promise<RunResult> {
    const state = this.#state;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#request.signal, stop.signal]);
    using stall = new StallDetector(STALL_LIMIT_MS, () => this.#describeStandstill());
    // Fails the run when looking fails, and when it is told to end.
    const looking = this.#keepLooking(stall, signal);
    const step = <T>(work: Promise<T>): Promise<T> => stall.guard(Promise.race([work, looking]));
    try {
      state.phase = 'joining';
      await step(this.#startWorkers());
      await step(this.#until(() => this.#standing.isSettled, signal));

      state.phase = 'flowing';
      const flowingSince = performance.now();
      const kills = await step(this.#flow(signal));

      state.phase = 'draining';
      await step(this.#until(() => state.applied === state.records && this.#standing.lag === 0, signal));
      const seconds = (performance.now() - flowingSince) / 1000;

      state.phase = 'closing';
      await step(Promise.all(state.workers.filter(isAlive).map((worker) => this.#fleet.leave(worker))));

      state.phase = 'judging';
      const verdict = await step(this.#judge(kills));
      return {
        verdict,
        killed: kills.length,
        staleCommitsRefused: this.#fleet.refusedCommits + verdict.refusedWrites,
        failed: state.workers.filter(({ status }) => status === 'failed').length,
        seconds,
      };
    } finally {
      stop.abort();
    }
  }

  async #startWorkers(): Promise<void> {
    const { partitions, redisUrl } = this.#request;
    await this.#millrace.admin.createTopic(CHANGES.name, { partitions });
    const orders = { redisUrl, prefix: this.#prefix, group: GROUP };
    await Promise.all(
      this.#state.workers.map((worker) => this.#fleet.start(worker, { ...orders, name: worker.name })),
    );
  }

  /** Sends every record while workers come to their ends. */
  async #flow(signal: AbortSignal): Promise<Kill[]> {
    const { history, records, kill, rate } = this.#request;
    const departed = depart(planDepartures(records, kill), {
      state: this.#state,
      fleet: this.#fleet,
      sink: this.#sink,
      isSettled: () => this.#standing.isSettled,
      onDeparted: () => (this.#standing = { ...this.#standing, isSettled: false }),
      signal,
    });
    const released = departed.then(() => {});
    // Whoever waits for it learns of a failure; before that it must not count as unhandled.
    released.catch(() => {});
    await using producer = this.#millrace.producer();
    const fed = feedChanges({
      history,
      producer,
      rate: rate ?? chooseRate(records),
      holdAfter: recordsBeforeHold(records),
      released,
      onProgress: (acknowledged) => (this.#state.produced = acknowledged),
      signal,
    });
    const [kills] = await Promise.all([departed, fed]);
    return kills;
  }

  async #judge(kills: readonly Kill[]): Promise<Verdict> {
    const { partitions: count, history, records } = this.#request;
    const topic = await this.#millrace.admin.describeTopic(CHANGES.name);
    const progress = await this.#sink.progress(count);
    const partitions: PartitionHistory[] = [];
    for (const { partition, logEnd } of topic.partitions) {
      const entries = await this.#sink.history(partition);
      partitions.push({ partition, entries, logEnd, refused: progress[partition]?.refused ?? 0 });
    }
    return judge({
      partitions,
      kills,
      expectedTree: await history.tree(),
      actualTree: await this.#sink.tree(count),
      acknowledged: this.#state.produced,
      changes: records,
    });
  }

  /** Keeps the state up to date until it is told to stop. Rejects when the run is ended early. */
  async #keepLooking(stall: StallDetector, signal: AbortSignal): Promise<never> {
    for (;;) {
      this.#request.signal.throwIfAborted();
      await this.#look();
      const { produced, applied, workers, happenings, phase } = this.#state;
      const statuses = workers.map(({ status }) => status).join();
      stall.progress(
        `${phase} ${produced} ${applied} ${this.#standing.lag} ${statuses} ${happenings.length}`,
      );
      await delay(LOOK_INTERVAL_MS, undefined, { signal });
    }
  }

  async #look(): Promise<void> {
    this.#fleet.listen();
    const progress = await this.#sink.progress(this.#request.partitions);
    this.#state.applied = progress.reduce((total, { next }) => total + next, 0);
    if (this.#state.workers.some(({ memberId }) => memberId !== ''))
      this.#standing = await this.#watch.look();
  }

  /** Polls, because every change that it can wait for comes from polling. */
  async #until(isDone: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isDone()) await delay(LOOK_INTERVAL_MS, undefined, { signal });
  }

  #describeStandstill(): string {
    const { phase, records, produced, applied, workers } = this.#state;
    const each = workers.map(
      ({ name, status, partitions }) => `${name} ${status} with ${partitions.length} partitions`,
    );
    return (
      `in phase "${phase}", ${produced} of ${records} records sent, ${applied} applied, ` +
      `${this.#standing.lag} not committed; ${each.join(', ')}`
    );
  }
}

function startState({ title, records, partitions, workers }: RunRequest): RunState {
  return {
    phase: 'preparing',
    title,
    startedAtMs: Date.now(),
    records,
    partitionCount: partitions,
    produced: 0,
    applied: 0,
    workers: Array.from({ length: workers }, (_, i) => ({
      name: `w${i + 1}`,
      pid: 0,
      status: 'starting',
      memberId: '',
      partitions: [],
      handled: 0,
    })),
    leader: '',
    generation: 0,
    happenings: [],
  };
}

/** On a Redis that is the user's own, nothing may be left. */
async function removeData(admin: Admin, sink: Sink, state: RunState): Promise<void> {
  await sink.delete(state.partitionCount);
  // The prefix is this run's own: whatever exists under it was made by this run, however far it came.
  for (const { group } of await admin.listGroups()) await admin.deleteGroup(group);
  for (const { name } of await admin.listTopics()) await admin.deleteTopic(name);
}

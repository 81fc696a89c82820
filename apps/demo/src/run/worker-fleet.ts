/** The worker processes: starts them, hears what they report, and sends them away, in order or not. */
import { setTimeout as delay } from 'node:timers/promises';
import { startProcess } from '@millrace/testkit';
import type { StartedProcess } from '@millrace/testkit';

import type { WorkerOrders, WorkerReport } from '../worker/worker-messages.ts';
import { isAlive } from './run-state.ts';
import type { WorkerState } from './run-state.ts';

type WorkerProcess = StartedProcess<WorkerReport, WorkerOrders>;

export interface FleetListener {
  /** Something that a person wants to know. */
  trouble(worker: WorkerState, text: string): void;
  lost(worker: WorkerState, reason: string, partitions: number): void;
}

const LEAVE_GRACE_MS = 3000;

export class WorkerFleet implements AsyncDisposable {
  readonly #listener: FleetListener;
  readonly #processes = new Map<WorkerState, { readonly process: WorkerProcess; heard: number }>();
  /** Commits that Redis refused because the partition had a newer owner. */
  refusedCommits = 0;

  constructor(listener: FleetListener) {
    this.#listener = listener;
  }

  /** Starts a process and resolves when it is a member of the group. */
  async start(worker: WorkerState, orders: WorkerOrders): Promise<void> {
    const module = new URL('../worker/main.ts', import.meta.url);
    const process = await startProcess<WorkerReport, WorkerOrders>({ module });
    this.#processes.set(worker, { process, heard: 0 });
    worker.pid = process.pid;
    process.exited.then(
      ({ code, signal }) => this.#onExit(worker, code, signal),
      () => {},
    );
    await process.send(orders);
    await process.waitFor((message) => message.type === 'joined', { timeoutMs: 60_000 });
    this.listen();
    worker.status = 'running';
  }

  /** Takes in what the workers have reported since the last call. */
  listen(): void {
    for (const [worker, entry] of this.#processes) {
      const { messages } = entry.process;
      for (; entry.heard < messages.length; entry.heard += 1) {
        const message = messages[entry.heard];
        if (message !== undefined) this.#hear(worker, message);
      }
    }
  }

  /** SIGKILL: the process gets no chance to say a word. */
  async kill(worker: WorkerState): Promise<void> {
    worker.status = 'killed';
    await this.#process(worker).signal('SIGKILL');
  }

  /** SIGTERM: the worker finishes what it has begun, hands over, and leaves. Resolves when it has ended. */
  async leave(worker: WorkerState): Promise<void> {
    worker.status = 'leaving';
    const process = this.#process(worker);
    await process.signal('SIGTERM');
    await process.exited;
    this.listen();
  }

  /** Ends what still runs: in order where that is quick, so that the group is empty afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#processes].filter(([worker]) => isAlive(worker));
    await Promise.all(
      running.map(async ([worker, { process }]) => {
        const left = this.leave(worker);
        await Promise.race([left, delay(LEAVE_GRACE_MS, undefined, { ref: false })]).catch(() => {});
        if (isAlive(worker)) worker.status = 'killed';
        await process.stop();
      }),
    );
  }

  #process(worker: WorkerState): WorkerProcess {
    const entry = this.#processes.get(worker);
    if (entry === undefined) throw new Error(`worker ${worker.name} was never started`);
    return entry.process;
  }

  #hear(worker: WorkerState, message: WorkerReport): void {
    switch (message.type) {
      case 'joined':
        worker.memberId = message.memberId;
        return;
      case 'status':
        worker.handled = message.handled;
        worker.partitions = message.partitions;
        return;
      case 'lost':
        this.refusedCommits += message.refusedCommits;
        this.#listener.lost(worker, message.reason, message.partitions);
        return;
      case 'trouble':
        this.#listener.trouble(worker, message.message);
        return;
      default:
        message satisfies never;
    }
  }

  #onExit(worker: WorkerState, code: number | null, signal: NodeJS.Signals | null): void {
    worker.partitions = [];
    if (worker.status === 'killed') return;
    if (worker.status === 'leaving' && code === 0) {
      worker.status = 'left';
      return;
    }
    worker.status = 'failed';
    const output = this.#process(worker).output().trim();
    this.#listener.trouble(
      worker,
      `ended by itself with ${signal ?? `code ${code}`}${output === '' ? '' : `:\n${output}`}`,
    );
  }
}

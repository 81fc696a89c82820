/** The network of one process: every proxy that its connections go through, as one. */
import type { AppliedFault, DropReplyRule, FaultProxy, ProxyMode, ProxySelection } from '@millrace/testkit';

export class Network {
  readonly #proxies: readonly FaultProxy[];
  readonly #select: ProxySelection;

  constructor(proxies: readonly FaultProxy[], select: ProxySelection = {}) {
    this.#proxies = proxies;
    this.#select = select;
  }

  apply(mode: ProxyMode): AppliedFault {
    return together(this.#proxies.map((proxy) => proxy.apply(mode, this.#select)));
  }

  /** Connections that are made from now on are not concerned. */
  applyToPresent(mode: ProxyMode): AppliedFault {
    const present = new Set(this.#proxies.flatMap((proxy) => proxy.connections));
    const concerned = this.#select.select ?? (() => true);
    const faults = this.#proxies.map((proxy) =>
      proxy.apply(mode, { select: (connection) => present.has(connection) && concerned(connection) }),
    );
    return together(faults);
  }

  /** Answers a function that ends it and tells how many replies were swallowed. */
  dropReplies(rule: DropReplyRule): () => number {
    const rules = this.#proxies.map((proxy) => proxy.dropReplies({ ...rule, ...this.#select }));
    return () => {
      for (const active of rules) active.heal();
      return rules.reduce((sum, { dropped }) => sum + dropped, 0);
    };
  }
}

function together(faults: readonly AppliedFault[]): AppliedFault {
  const heal = (): void => {
    for (const fault of faults) fault.heal();
  };
  return { heal, [Symbol.dispose]: heal };
}

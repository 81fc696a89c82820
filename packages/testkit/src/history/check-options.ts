/** What the checker has to know of the run that it judges. */

export interface GroupRules {
  /** Default 'at-least-once'. With 'at-most-once' a record may be committed before its handler has finished. */
  readonly commitMode?: 'at-least-once' | 'at-most-once';
  /** Default true. False: the application commits, and may leave finished records uncommitted. */
  readonly autoCommit?: boolean;
}

export interface CheckOptions {
  /**
   * The runner has waited until every group had consumed everything: what a group has not seen by then is an anomaly.
   * Default true. Otherwise only what its committed offset has passed.
   */
  readonly isDrained?: boolean;
  /** How long a handler may still be started after a newer owner has begun, ms. Default 10,000, the default lease. */
  readonly zombieGraceMs?: number;
  /** Longest time to resume after a fault that names none itself, ms. Default: not judged. */
  readonly resumeBoundMs?: number;
  /** Groups that are consumed in another way than the defaults. */
  readonly groups?: Readonly<Record<string, GroupRules>>;
}

export interface CheckRules {
  readonly isDrained: boolean;
  readonly zombieGraceMs: number;
  readonly resumeBoundMs: number;
  isAtMostOnce(group: string): boolean;
  commitsByItself(group: string): boolean;
}

export function resolveRules(options: CheckOptions): CheckRules {
  return {
    isDrained: options.isDrained ?? true,
    zombieGraceMs: options.zombieGraceMs ?? 10_000,
    resumeBoundMs: options.resumeBoundMs ?? Number.POSITIVE_INFINITY,
    isAtMostOnce: (group) => options.groups?.[group]?.commitMode === 'at-most-once',
    commitsByItself: (group) => options.groups?.[group]?.autoCommit ?? true,
  };
}

/** What a run of Spin's verifier says: pure. A search that was cut off has proved nothing, and says so. */

export type Verdict =
  | { readonly status: 'holds'; readonly states: number }
  | { readonly status: 'violated'; readonly assertion: string; readonly states: number }
  /** Neither proved nor refuted. */
  | { readonly status: 'inconclusive'; readonly reason: string };

export function parseVerdict(output: string, exitCode: number | null): Verdict {
  const cut = /max search depth too small|out of memory|hash array.*full|aborting/i.exec(output);
  if (exitCode !== 0 || cut !== null)
    return inconclusive(output, `exit code ${exitCode}${cut === null ? '' : `, ${cut[0]}`}`);
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = Number(/^\s*(\d+) states, stored/m.exec(output)?.[1] ?? '0');
  if (errors === undefined || states === 0) return inconclusive(output, 'no report');
  // Printed by the verifier when it did not see every state, for a reason that it names before.
  if (errors === '0')
    return /Search not completed/.test(output)
      ? inconclusive(output, 'search not completed')
      : { status: 'holds', states };
  const assertion = /assertion violated\s+!\((\w+)\)/.exec(output)?.[1];
  return assertion === undefined
    ? inconclusive(output, 'an error that is no named assertion')
    : { status: 'violated', assertion, states };
}

function inconclusive(output: string, reason: string): Verdict {
  const tail = output.trim().split('\n').slice(-3).join(' | ');
  return { status: 'inconclusive', reason: `${reason}: ${tail}` };
}

/** As `Instance.expected` has it. */
export function nameOf(verdict: Verdict): string {
  switch (verdict.status) {
    case 'holds':
      return 'holds';
    case 'violated':
      return verdict.assertion;
    case 'inconclusive':
      return `inconclusive (${verdict.reason})`;
    default:
      return verdict satisfies never;
  }
}

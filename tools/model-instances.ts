/**
 * What `pnpm model` runs: the model in sizes that a checker can exhaust, each for one kind of trouble, and mutants of it
 * that must be refuted by the assertion named. A size is chosen so that the behaviour it is for fits in, and no larger.
 */

export interface Instance {
  readonly name: string;
  readonly defines: readonly string[];
  /** `holds`, or the assertion that the checker must find violated. */
  readonly expected: string;
  readonly kind: 'protocol' | 'mutant';
}

const TWO = ['MEMBERS=2', 'CLAIMS=2', 'NONCES=2'];
const LATE = [...TWO, 'RECORDS=2', 'LATE'];
const FAILOVER = [...TWO, 'RECORDS=2', 'APPENDS=1', 'PARTITION_FAILOVERS=1'];
const SEEK = ['MEMBERS=2', 'CLAIMS=2', 'NONCES=3', 'RECORDS=1', 'LATE', 'SEEKS=1'];
const CALM = [...TWO, 'RECORDS=1', 'PARTITION_FAILOVERS=1', 'GROUP_FAILOVERS=1', 'CALM'];

const protocol = (name: string, defines: readonly string[]): Instance => ({
  name,
  defines,
  expected: 'holds',
  kind: 'protocol',
});
const mutant = (name: string, expected: string, defines: readonly string[]): Instance => ({
  name,
  defines,
  expected,
  kind: 'mutant',
});

export const instances: readonly Instance[] = [
  // The longest first: two run at a time.
  protocol('both slots fail over, then calm', CALM),
  protocol('partition fails over, late requests', [...TWO, 'RECORDS=1', 'PARTITION_FAILOVERS=1', 'LATE']),
  protocol('group fails over', ['MEMBERS=2', 'CLAIMS=3', 'NONCES=3', 'RECORDS=1', 'GROUP_FAILOVERS=1']),
  protocol('late requests', [...LATE, 'FORCE', 'ELSEWHERE=1']),
  protocol('three members', ['MEMBERS=3', 'CLAIMS=3', 'NONCES=3', 'RECORDS=2']),
  protocol('partition fails over and loses its tail', FAILOVER),
  protocol('the same, and its clock is behind', [...FAILOVER, 'CLOCK_BEHIND']),
  protocol('seeks', SEEK),

  mutant('commit without nonce', 'stale_commit', [...LATE, 'NO_NONCE']),
  mutant('commit without epoch', 'stale_commit', [...LATE, 'NO_EPOCH']),
  mutant('commit without epoch and nonce', 'commit_beyond_position', [
    ...LATE,
    'NO_EPOCH',
    'NO_NONCE',
    'HARM',
  ]),
  mutant('commit without the server', 'record_skipped', [...FAILOVER, 'NO_SERVER', 'HARM']),
  mutant('commit before processing', 'record_skipped', [...LATE, 'COMMIT_FIRST']),
  mutant('commit that goes back', 'commit_regression', [...LATE, 'COMMIT_BACK']),
  mutant('seek keeps the nonce', 'commit_beyond_position', [...SEEK, 'SEEK_KEEPS_NONCE']),
  mutant('acquire without claim number', 'heir_fenced', [...LATE, 'NO_CLAIM_NUMBER']),
  mutant('epoch without the time', 'epoch_reused', [...FAILOVER, 'EPOCH_COUNTS']),
  mutant('grant what is held', 'grant_before_release', [...LATE, 'GRANT_HELD']),
  mutant('unclaim without comparing', 'grant_before_release', [
    'MEMBERS=2',
    'CLAIMS=3',
    'NONCES=2',
    'RECORDS=1',
    'LATE',
    'UNCLAIM_ANY',
  ]),
  mutant('no audit by the leader', 'never_owned', [...CALM, 'NO_AUDIT']),
];

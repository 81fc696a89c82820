/** What a rule of the proxy can see of a command: enough to choose one script or one partition, never the whole payload. */
import { createHash } from 'node:crypto';

export interface ProxiedCommand {
  /** Upper case, e.g. `EVALSHA`. */
  readonly name: string;
  /** SHA-1 of the script, for `EVALSHA` and `EVAL` alike: a client sends the text first and the digest later. */
  readonly script: string | undefined;
  /** The first key, where the command has one: the first argument, or that of the script. */
  readonly key: string | undefined;
  /** The first eight words, the name included; from the fifth on at most 256 bytes of each. */
  readonly words: readonly string[];
}

/** `words` as a `RespScanner` of commands gives them, at least one. */
export function readCommand(words: readonly string[]): ProxiedCommand {
  const [first = '', second] = words;
  const name = first.toUpperCase();
  switch (name) {
    case 'EVALSHA':
    case 'EVALSHA_RO':
      return { name, script: second?.toLowerCase(), key: firstKeyOfScript(words), words };
    case 'EVAL':
    case 'EVAL_RO': {
      const script = createHash('sha1')
        .update(second ?? '')
        .digest('hex');
      return { name, script, key: firstKeyOfScript(words), words };
    }
    default:
      return { name, script: undefined, key: second, words };
  }
}

function firstKeyOfScript(words: readonly string[]): string | undefined {
  return Number(words[2]) > 0 ? words[3] : undefined;
}

/** The name that a client gives its connection by this command. */
export function nameGivenBy({ name, words }: ProxiedCommand): string | undefined {
  const isSetName = name === 'CLIENT' && words[1]?.toUpperCase() === 'SETNAME';
  return isSetName ? words[2] : undefined;
}

/** After one of these, replies no longer answer commands one for one, or are no RESP at all. */
export function endsRequestReply(name: string): boolean {
  switch (name) {
    case 'SUBSCRIBE':
    case 'PSUBSCRIBE':
    case 'SSUBSCRIBE':
    case 'MONITOR':
    case 'SYNC':
    case 'PSYNC':
      return true;
    default:
      return false;
  }
}

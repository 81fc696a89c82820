/** Checks limits before anything is written: a limit that nobody reads, or that cannot be meant, would keep too much or too little. */
import { ConfigError, type TopicLimits } from '@millrace/core';
import { describeValue } from '../options/describe-value.ts';
import { verifyOptionNames, type OptionNames } from '../options/verify-option-names.ts';

const NAMES: OptionNames<TopicLimits> = {
  maxRecords: true,
  maxBytes: true,
  maxAgeMs: true,
  onFull: true,
  trimCommittedAfterMs: true,
};

/** Those that are given, and no other. Throws `INVALID_OPTION` (ConfigError). */
export function parseTopicLimits(limits: TopicLimits): TopicLimits {
  verifyOptionNames('topic option', limits, NAMES, 'limits');
  const { maxRecords, maxBytes, maxAgeMs, onFull, trimCommittedAfterMs } = limits;
  checkInteger('maxRecords', maxRecords, 1);
  checkInteger('maxBytes', maxBytes, 1);
  checkInteger('maxAgeMs', maxAgeMs, 1);
  if (onFull !== undefined && onFull !== 'refuse' && onFull !== 'trim')
    throw invalid('onFull', "'refuse' or 'trim'", onFull);
  if (trimCommittedAfterMs !== 'never') checkInteger('trimCommittedAfterMs', trimCommittedAfterMs, 0);
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

function checkInteger(name: keyof TopicLimits, value: unknown, lowest: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= lowest)) return;
  const orNever = name === 'trimCommittedAfterMs' ? ", or 'never'" : '';
  throw invalid(name, `an integer from ${lowest}${orNever}`, value);
}

function invalid(name: keyof TopicLimits, expected: string, value: unknown): ConfigError {
  return new ConfigError(
    'INVALID_OPTION',
    `limits.${name} must be ${expected}, not ${describeValue(value)}`,
    {
      details: { option: name },
    },
  );
}

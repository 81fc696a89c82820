import { ConfigError } from '@millrace/core';
import { describeValue } from '../options/describe-value.ts';

/** The value, where it is a number in the range. Throws `INVALID_OPTION` (ConfigError) that names the option. */
export function bounded(name: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw new ConfigError(
    'INVALID_OPTION',
    `${name} must be a number from ${least} to ${most}, not ${describeValue(value)}`,
  );
}

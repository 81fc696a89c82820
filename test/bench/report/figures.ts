/** Figures as people read them. Pure. */

/** Three digits that count; what is large gets separators: 1.24, 0.0087, 152, 1,240,000. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1_000) return roundTo(value, 3).toLocaleString('en');
  if (size === 0) return '0';
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.min(decimals, 6));
}

/** `×` for what is a ratio; a figure with a bound of its own has its unit instead. */
export function ratioText(ratio: number | null): string {
  if (ratio === null) return '–';
  return figure(ratio);
}

function roundTo(value: number, digits: number): number {
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
  return Math.round(value / unit) * unit;
}

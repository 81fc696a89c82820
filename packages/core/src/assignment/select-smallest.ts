/**
 * Hoare's selection: the k-th smallest of a list in linear time, where sorting 2,000 candidates of each of 500 topics
 * would take longer than the rest of an assignment.
 */

/** Returns the value that sorting would put at `k` (from 0). Reorders `values`. `k` must be a position in it. */
export function selectSmallest(values: Float64Array, k: number): number {
  let left = 0;
  let right = values.length - 1;
  while (left < right) {
    const pivot = medianOfThree(values[left]!, values[(left + right) >> 1]!, values[right]!);
    let i = left;
    let j = right;
    // Stops on values equal to the pivot from both sides: many members have the same load, and halving must go on.
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swapped = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swapped;
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else return values[k]!;
  }
  return values[k]!;
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

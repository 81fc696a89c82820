/**
 * Frees the memory of what a plain socket brought, where nobody refers to it any more. A backlog brings as much of it as
 * it has bytes, and V8 goes through the whole heap whenever about 64 MiB of array buffers have piled up
 * (docs/performance.md).
 */
export function giveBack({ buffer, byteOffset, byteLength }: Buffer): void {
  // A read of a socket begins its memory, and has it to itself also where it did not fill it. What shares its memory with
  // others, as Node's small buffers do, would empty them.
  if (byteOffset > 0 || byteLength * 2 <= buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  try {
    buffer.transfer(0);
  } catch {
    // Memory that cannot be detached waits for the collector; what was read is good all the same.
  }
}

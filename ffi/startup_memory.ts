/** Gives back memory that only the start of this process needed. */
/** `MADV_DONTNEED` of madvise(2). */
const DONT_NEED = 4;

/** A stretch of memory from which code or constants of a file are read, and that was not written to. */
export interface CleanMapping {
  readonly address: bigint;
  readonly length: bigint;
}

/**
 * The mappings of a file that hold nothing but what is in the file.
 *
 * @param smaps what proc_pid_smaps(5) has
 */
export function cleanMappings(smaps: string, path: string): CleanMapping[] {
  const found: CleanMapping[] = [];
  for (const text of smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[x-][ps] \S+ \S+ \S+ +(.*)/.exec(text);
    if (head === null || head[3] !== path || !/^Anonymous: +0 kB$/m.test(text)) continue;
    const [begin, end] = [BigInt(`0x${head[1]}`), BigInt(`0x${head[2]}`)];
    found.push({ address: begin, length: end - begin });
  }
  return found;
}

/**
 * Lets go of the pages of this program's own executable, and of what the allocator holds unused. What of it is
 * needed again comes back from the page cache by itself, a few microseconds each; most of it is not.
 *
 * @throws where the C library is none that has these functions
 */
export function releaseStartupMemory(): void {
  const library = Deno.dlopen("libc.so.6", {
    madvise: { parameters: ["u64", "usize", "i32"], result: "i32" },
    malloc_trim: { parameters: ["usize"], result: "i32" },
  });
  for (
    const { address, length } of cleanMappings(Deno.readTextFileSync("/proc/self/smaps"), Deno.execPath())
  ) {
    // That it refuses costs nothing but the memory
    library.symbols.madvise(address, length, DONT_NEED);
  }
  library.symbols.malloc_trim(0n);
  library.close();
}

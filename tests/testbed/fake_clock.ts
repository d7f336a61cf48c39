/** A wall clock of a server's own, which a test sets: libfaketime. What counts from the start of the machine goes on as it is. */
/** Library that is loaded before every other one. */
export const LIBRARY = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketimeMT.so.1`;
const MINUTE_MS = 60_000;

/** The clock of one server. Its files are removed when it is disposed of. */
export interface FakeClock extends AsyncDisposable {
  /** Environment of the server. */
  readonly env: Readonly<Record<string, string>>;
  /** Sets it, as `faketime -f` takes it: `+400d`. */
  set(offset: string): Promise<void>;
  /** Sets it ahead to half a second before a whole minute. */
  toNextMinute(): Promise<void>;
}

/** Makes one that shows the real time. A test that uses it needs `requirement("faketime")`. */
export async function fakeClock(): Promise<FakeClock> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), file = `${folder}/offset`;
  let ahead = 0;
  const set = (offset: string) => Deno.writeTextFile(file, offset);
  await set("+0");
  return {
    env: {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
    set,
    toNextMinute: async () => {
      const left = MINUTE_MS - (Date.now() + ahead) % MINUTE_MS - 500;
      if (left > 0) await set(`+${((ahead += left) / 1000).toFixed(3)}`);
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The store of metrics on real files: what is written, packed, rolled up, read, cleaned. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { encodeChunk } from "../../lib/metrics/chunk.ts";
import { type Resolution, resolutionOf, RESOLUTIONS } from "../../lib/metrics/resolutions.ts";
import { rollUp } from "../../lib/metrics/roll_up.ts";
import { setLogLevel } from "../log.ts";
import { MetricDatabase } from "./metric_database.ts";
import { openMetrics } from "./metric_file.ts";
import { GROUP } from "./packed_points.ts";

setLogLevel("error");

/** An hour's beginning. */
const HOUR = 1_700_000_400 - 1_700_000_400 % 3600;
const KEY = { host: "local", subject: "vm-1", name: "cpu_usage", label: "" };

function testDatabase() {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  const path = join(folder, "metrics.db");
  let store = new MetricDatabase(openMetrics(path), path);
  return {
    path,
    get store() {
      return store;
    },
    /** As after a kill: the file is opened again without having been closed in order. */
    reopen: () => store = new MetricDatabase(openMetrics(path), path),
    pack: (now: number) => {
      while (store.pack(now)) { /* the next part */ }
    },
    /** Writes `figures` of one series, one each `step` seconds from `from` on. */
    fill: (id: number, from: number, figures: readonly number[], step = 30) => {
      for (const [index, figure] of figures.entries()) {
        store.write(from + index * step, Uint32Array.of(id), Float32Array.of(figure));
      }
    },
    read: (from: number, to: number, name: "raw" | "1m" | "15m" | "1h", query: object = {}) =>
      store.read({ host: "local", subject: "vm-1", ...query }, from, to, resolutionOf(name)),
    [Symbol.dispose]() {
      store.close();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

const WAVE = Array.from({ length: 240 }, (_, index) => (index * 37) % 101);

Deno.test("MetricDatabase.take(): what another store has taken is read as it was, along with what is here, packed or not", () => {
  using there = testDatabase();
  using test = testDatabase();
  const [id] = there.store.register([KEY]);
  there.fill(id!, HOUR - 3600, WAVE);
  there.pack(HOUR + 1000);
  // Others have the ids that these have there
  const [, own] = test.store.register([{ ...KEY, subject: "vm-0" }, KEY]);
  test.fill(own!, HOUR + 3600, WAVE.slice(0, 100));
  test.pack(HOUR + 3700);
  const range = [HOUR - 7200, HOUR + 9000] as const;
  for (const each of RESOLUTIONS) {
    test.store.take(each, [{ host: "local", subject: "vm-1", series: there.read(...range, each.name) }]);
  }
  const seen = () => RESOLUTIONS.map(({ name }) => test.read(...range, name)[0]!.points);
  const raw = {
    times: [
      ...WAVE.map((_, index) => HOUR - 3600 + index * 30),
      ...WAVE.slice(0, 100).map((_, index) => HOUR + 3600 + index * 30),
    ],
    avg: [...WAVE, ...WAVE.slice(0, 100)],
  };
  assert.deepEqual(seen()[0], raw);
  for (const each of RESOLUTIONS.slice(1)) {
    assert.deepEqual(seen()[each.id], rollUp(raw, each.step), each.name);
  }
  const before = seen();
  test.pack(HOUR + 20_000);
  assert.deepEqual(seen(), before);
  // Once more is the same
  test.store.take(RESOLUTIONS[0]!, [{ host: "local", subject: "vm-1", series: there.read(...range, "raw") }]);
  assert.deepEqual(seen(), before);
  const { resolutions } = test.store.figures();
  assert.equal(resolutions[0]!.points, raw.times.length);
});

Deno.test("MetricDatabase: what is read is the same before and after it is packed, at every resolution", () => {
  using test = testDatabase();
  const [id] = test.store.register([KEY]);
  test.fill(id!, HOUR, WAVE);
  const raw = { times: WAVE.map((_, index) => HOUR + index * 30), avg: WAVE };
  const seen = () => RESOLUTIONS.map(({ name }) => test.read(HOUR, HOUR + 7200, name)[0]!.points);
  const before = seen();
  assert.deepEqual(before[0], raw);
  for (const each of RESOLUTIONS.slice(1)) {
    assert.deepEqual(before[each.id], rollUp(raw, each.step), each.name);
  }
  test.pack(HOUR + 3600); // the first hour alone is over
  assert.deepEqual(seen(), before);
  test.pack(HOUR + 7200);
  assert.deepEqual(seen(), before);
  assert.equal(test.store.database.prepare("SELECT count(*) AS n FROM ticks").get()!.n, 0);
});

Deno.test("MetricDatabase: a kill loses nothing that was written", () => {
  using test = testDatabase();
  const [id] = test.store.register([KEY]);
  test.fill(id!, HOUR, [1, 2, 3]);
  const first = test.store;
  test.reopen();
  assert.deepEqual(test.read(HOUR, HOUR + 3600, "raw")[0]!.points.avg, [1, 2, 3]);
  assert.deepEqual(test.store.register([KEY]), [id], "a series keeps its id");
  first.close();
});

Deno.test("MetricDatabase: hosts, VMs, names and labels are kept apart", () => {
  using test = testDatabase();
  const keys = [
    KEY,
    { ...KEY, host: "lab" },
    { ...KEY, subject: "vm-2" },
    { ...KEY, name: "disk_read_bytes", label: "vda" },
    { ...KEY, name: "disk_read_bytes", label: "vdb" },
  ];
  const ids = test.store.register(keys);
  assert.equal(new Set(ids).size, keys.length);
  test.store.write(
    HOUR,
    Uint32Array.from([ids[0]!, ids[2]!, ids[3]!, ids[4]!]),
    Float32Array.of(1, 3, 4, 5),
  );
  test.store.write(HOUR, Uint32Array.of(ids[1]!), Float32Array.of(2));
  const look = () => ({
    mine: test.read(HOUR, HOUR + 60, "raw").map(({ name, label, points }) => [name, label, points.avg[0]]),
    lab: test.read(HOUR, HOUR + 60, "raw", { host: "lab" }).map(({ points }) => points.avg),
    vdb: test.read(HOUR, HOUR + 60, "raw", { label: "vdb" }).map(({ points }) => points.avg),
    cpu: test.read(HOUR, HOUR + 60, "raw", { names: ["cpu_usage"] }).map(({ points }) => points.avg),
  });
  const expected = {
    mine: [["cpu_usage", "", 1], ["disk_read_bytes", "vda", 4], ["disk_read_bytes", "vdb", 5]],
    lab: [[2]],
    vdb: [[5]],
    cpu: [[1]],
  };
  assert.deepEqual(look(), expected);
  test.pack(HOUR + 3600);
  assert.deepEqual(look(), expected);
});

Deno.test("MetricDatabase: more series than a row of a tick holds", () => {
  using test = testDatabase();
  const ids = test.store.register(
    Array.from({ length: 1500 }, (_, index) => ({ ...KEY, label: String(index) })),
  );
  const figures = Float32Array.from(ids, (_, index) => index % 1000);
  for (const time of [HOUR, HOUR + 30]) test.store.write(time, Uint32Array.from(ids), figures);
  for (const now of [HOUR, HOUR + 3600]) {
    test.pack(now);
    const found = test.read(HOUR, HOUR + 60, "raw");
    assert.equal(found.length, 1500);
    for (const { label, points } of found) assert.deepEqual(points.avg, Array(2).fill(Number(label) % 1000));
  }
});

Deno.test("MetricDatabase: a clock that is set back adds to hours that are packed; one that jumps ahead loses none", () => {
  using test = testDatabase();
  const [id] = test.store.register([KEY]);
  test.fill(id!, HOUR, [10, 20]);
  test.pack(HOUR + 3600);
  test.fill(id!, HOUR + 30, [40, 60]); // again 30 s, and a new one
  test.pack(HOUR + 3600);
  assert.deepEqual(test.read(HOUR, HOUR + 3600, "raw")[0]!.points.avg, [10, 40, 60]);
  const [hour] = test.read(HOUR, HOUR + 3600, "1h");
  assert.deepEqual([hour!.points.min, hour!.points.max], [[10], [60]]);
  const ahead = HOUR + 9 * 365 * 86_400;
  test.fill(id!, ahead, [7]);
  test.pack(HOUR + 3600); // set right again: an hour to come is packed as well
  assert.equal(test.store.database.prepare("SELECT count(*) AS n FROM ticks").get()!.n, 0);
  assert.deepEqual(test.read(ahead, ahead + 30, "raw")[0]!.points.avg, [7]);
  assert.deepEqual(test.read(HOUR, HOUR + 3600, "raw")[0]!.points.avg, [10, 40, 60]);
});

Deno.test("MetricDatabase: a clock that is out of its mind keeps nothing from being packed", () => {
  using test = testDatabase();
  const [id] = test.store.register([KEY]);
  for (const time of [-9e9, 0, 2 ** 34, 9e15]) test.fill(id!, time, [1]);
  for (let part = 0; test.store.pack(HOUR); part++) assert.ok(part < 10, "it comes to an end");
  assert.equal(test.store.database.prepare("SELECT count(*) AS n FROM ticks").get()!.n, 0);
  test.fill(id!, HOUR, [7]);
  test.pack(HOUR + 3600);
  assert.deepEqual(test.read(HOUR, HOUR + 3600, "1h")[0]!.points.avg, [7]);
});

/** Rows of each chunk of a resolution, in order. */
function rowsIn(store: MetricDatabase, { id: resolution, chunk }: Resolution): number[] {
  const ids = store.database.prepare("SELECT id FROM chunks WHERE (id >> 22) & 3 = ? ORDER BY id").all(
    resolution,
  )
    .map(({ id }) => Number(id));
  return [...Map.groupBy(ids, (id) => Math.floor(id % 2 ** 22 / (chunk / 3600))).values()].map(({ length }) =>
    length
  );
}

Deno.test("MetricDatabase: hours have rows of their own, made one after a day, and are the same all the time", () => {
  using test = testDatabase();
  const [id] = test.store.register([KEY]);
  const begin = HOUR - HOUR % (16 * 86_400), hours = 20 * 24;
  const taken = { times: [] as number[], avg: [] as number[] };
  for (let hour = 0; hour < hours; hour++) {
    // An hour is missing now and then, as of a VM that was off
    if (hour % 17 === 5) continue;
    const from = begin + hour * 3600, figures = [0, 1, 2].map((index) => (hour * 37 + index * 11) % 101);
    test.fill(id!, from, figures, 900);
    figures.forEach((figure, index) => {
      taken.times.push(from + index * 900);
      taken.avg.push(figure);
    });
    test.pack(from + 3600);
    for (const rows of RESOLUTIONS.flatMap((each) => rowsIn(test.store, each))) {
      assert.ok(rows <= 24, `${rows}`);
    }
    if (hour % 50 !== 49) continue;
    for (const each of RESOLUTIONS.slice(1)) {
      assert.deepEqual(
        test.read(begin, from + 3600, each.name)[0]!.points,
        rollUp(taken, each.step),
        each.name,
      );
    }
  }
  for (const each of RESOLUTIONS.slice(1)) {
    const rows = rowsIn(test.store, each);
    assert.ok(rows.length > 1);
    assert.deepEqual(rows.slice(0, -1).filter((each) => each !== 1), [], "what is over is in one piece");
  }
  assert.ok(rowsIn(test.store, resolutionOf("1h")).at(-1)! > 1, "what goes on is not packed again each hour");
  const bytes = test.store.database.prepare("SELECT total(length(data)) AS n FROM chunks").get()!.n;
  const { resolutions } = test.store.figures();
  assert.equal(resolutions.reduce((sum, each) => sum + each.bytes, 0), bytes, "its bytes are counted right");
});

Deno.test("MetricDatabase: readings that come while their hour is packed are not lost", () => {
  using test = testDatabase();
  const ids = test.store.register(
    Array.from({ length: 1500 }, (_, index) => ({ ...KEY, label: String(index) })),
  );
  const figures = new Float32Array(ids.length).fill(1), all = Uint32Array.from(ids);
  test.store.write(HOUR, all, figures);
  assert.ok(test.store.pack(HOUR + 3600), "a part of them");
  test.store.write(HOUR + 30, all, figures); // the clock was set back
  test.pack(HOUR + 3600);
  assert.equal(test.store.database.prepare("SELECT count(*) AS n FROM ticks").get()!.n, 0);
  for (const name of ["raw", "1h"] as const) {
    const found = test.read(HOUR, HOUR + 3600, name);
    assert.equal(found.length, 1500);
    for (const { points } of found) assert.deepEqual(points.avg, name === "raw" ? [1, 1] : [1]);
  }
  assert.deepEqual(test.store.figures().resolutions.map(({ points }) => points), [3000, 1500, 1500, 1500]);
});

Deno.test("MetricDatabase: an hour that comes again after its raw figures were removed counts once", () => {
  using test = testDatabase();
  const [id] = test.store.register([KEY]);
  test.fill(id!, HOUR, [10, 20]);
  test.pack(HOUR + 3600);
  test.store.clean([HOUR + 3600, 0, 0, 0], 0);
  test.fill(id!, HOUR, [40, 60]);
  test.pack(HOUR + 3600);
  const [hour] = test.read(HOUR, HOUR + 3600, "1h");
  assert.deepEqual([hour!.points.avg, hour!.points.max], [[50], [60]]);
});

/** The tables of version 2, with an hour of a series that is packed, and two readings that are not. */
function writeVersion2(path: string): void {
  using database = new DatabaseSync(path);
  database.exec(`
    CREATE TABLE series (id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, subject TEXT NOT NULL,
      name TEXT NOT NULL, label TEXT NOT NULL, UNIQUE (host, subject, name, label)) STRICT;
    CREATE TABLE ticks (bucket INTEGER NOT NULL, time INTEGER NOT NULL, host TEXT NOT NULL, figures BLOB NOT NULL,
      PRIMARY KEY (bucket, time, host)) STRICT;
    CREATE TABLE chunks (id INTEGER PRIMARY KEY, points INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
    CREATE TABLE totals (resolution INTEGER PRIMARY KEY, points INTEGER NOT NULL, bytes INTEGER NOT NULL,
      oldest INTEGER NOT NULL) STRICT;
    INSERT INTO series VALUES (200, 'local', 'vm-1', 'cpu_usage', '');
    INSERT INTO totals VALUES (0, 2, 99, ${HOUR});
    PRAGMA user_version = 2;`);
  const put = database.prepare("INSERT INTO chunks VALUES (?, ?, ?)");
  const raw = { times: [HOUR, HOUR + 30], avg: [10, 20] };
  for (const each of RESOLUTIONS) {
    const chunk = encodeChunk(each.step === 0 ? raw : rollUp(raw, each.step));
    const id = 200 * 2 ** 24 + each.id * 2 ** 22 + Math.floor(HOUR / each.chunk);
    // What is rolled up stood in parts, each behind a mark and its length; a row without them was of version 1
    const hasParts = each.name === "15m" || each.name === "1h";
    put.run(id, 1, Uint8Array.of(...hasParts ? [2, chunk.length + 1, 0] : [], 0, ...chunk));
  }
  const figures = new DataView(new ArrayBuffer(6));
  figures.setUint16(0, 200, true);
  for (const [index, figure] of [30, 50].entries()) {
    figures.setFloat32(2, figure, true);
    database.prepare("INSERT INTO ticks VALUES (0, ?, 'local', ?)")
      .run(HOUR + 3600 + index * 30, new Uint8Array(figures.buffer));
  }
}

Deno.test("MetricDatabase: what the version before has written is taken over, part by part, and goes on", () => {
  using folder = {
    path: Deno.makeTempDirSync(),
    [Symbol.dispose]: () => Deno.removeSync(folder.path, { recursive: true }),
  };
  const path = join(folder.path, "metrics.db");
  writeVersion2(path);
  const store = new MetricDatabase(openMetrics(path), path);
  using _closing = { [Symbol.dispose]: () => store.close() };
  assert.equal(store.database.prepare("PRAGMA user_version").get()!.user_version, 3);
  store.clean([0, 0, 0, 0], 0);
  assert.deepEqual(store.register([KEY]), [200], "a series whose points are not taken over yet is kept");
  store.write(HOUR + 7200, Uint32Array.of(200), Float32Array.of(70));
  while (store.pack(HOUR + 10_800)) { /* the next part */ }
  const read = (name: "raw" | "1m" | "15m" | "1h") =>
    store.read({ host: "local", subject: "vm-1" }, HOUR, HOUR + 10_800, resolutionOf(name))[0]!.points;
  assert.deepEqual(read("raw").avg, [10, 20, 30, 50, 70]);
  for (const name of ["1m", "15m", "1h"] as const) {
    assert.deepEqual(read(name), {
      times: [HOUR, HOUR + 3600, HOUR + 7200],
      avg: [15, 40, 70],
      min: [10, 30, 70],
      max: [20, 50, 70],
    }, name);
  }
  assert.deepEqual(store.figures().resolutions.map(({ points }) => points), [5, 3, 3, 3]);
  const tables = store.database.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'earlier%'").all();
  assert.deepEqual(tables, []);
});

Deno.test("MetricDatabase.clean() removes what is over, by resolution, gives space back and counts right", () => {
  using test = testDatabase();
  const { store } = test;
  const ids = store.register(Array.from({ length: 400 }, (_, index) => ({ ...KEY, label: String(index) })));
  for (let hour = 0; hour < 3; hour++) {
    for (let tick = 0; tick < 120; tick++) {
      const figures = Float32Array.from(ids, (id) => (id * 7919 + hour * 104_729 + tick * 1299) % 100_003);
      store.write(HOUR + hour * 3600 + tick * 30, Uint32Array.from(ids), figures);
    }
    test.pack(HOUR + (hour + 1) * 3600);
  }
  const points = () => store.figures().resolutions.map((each) => each.points);
  const counted = () =>
    RESOLUTIONS.map(({ id }) =>
      Number(
        store.database.prepare("SELECT total(points) AS n FROM chunks WHERE (id >> 22) & 3 = ?").get(id)!.n,
      )
    );
  assert.deepEqual(points(), [400 * 360, 400 * 180, 400 * 12, 400 * 3]);
  assert.deepEqual(points(), counted());
  const full = store.figures();
  assert.ok(full.bytes > 500_000);
  const cleaned = store.clean([HOUR + 2 * 3600, 0, 0, 0], 0);
  assert.deepEqual(cleaned, { points: 400 * 240, series: 0, next: null });
  assert.deepEqual(points(), [400 * 120, 400 * 180, 400 * 12, 400 * 3]);
  assert.deepEqual(points(), counted());
  assert.equal(store.figures().resolutions[0]!.oldest, (HOUR + 2 * 3600) * 1000);
  const gone = store.clean(Array(4).fill(HOUR + 100 * 86_400), 0);
  assert.equal(gone.series, 400);
  while (store.shrink()) { /* the next part */ }
  assert.deepEqual(points(), [0, 0, 0, 0]);
  const empty = store.figures();
  assert.ok(empty.bytes < 150_000, `${empty.bytes} bytes are left`);
  assert.deepEqual([empty.series, empty.freeBytes], [0, 0]);
  assert.notDeepEqual(store.register([{ ...KEY, label: "0" }]), [ids[0]], "an id is not given twice");
});

Deno.test("MetricDatabase: a damaged chunk is a gap, and keeps nothing else from being read, packed or counted", () => {
  using test = testDatabase();
  // Of two groups: series of one stand in the same row
  const registered = test.store.register(
    Array.from({ length: GROUP + 1 }, (_, index) => ({ ...KEY, label: String(index) })),
  );
  const ids = [registered[0]!, registered.at(-1)!], other = String(GROUP);
  const both = (time: number, figure: number) =>
    test.store.write(time, Uint32Array.from(ids), Float32Array.of(figure, figure));
  both(HOUR, 1);
  both(HOUR + 30, 2);
  const [fresh] = test.store.figures().resolutions;
  assert.deepEqual([fresh!.points, fresh!.oldest], [4, HOUR * 1000], "what is not packed yet is counted");
  test.pack(HOUR + 3600);
  test.store.database.prepare("UPDATE chunks SET data = x'01ffff' WHERE id < ?").run(2 ** 24);
  assert.deepEqual(test.read(HOUR, HOUR + 3600, "raw").map(({ label, points }) => [label, points.avg]), [[
    other,
    [1, 2],
  ]]);
  both(HOUR + 60, 3);
  test.pack(HOUR + 3600);
  assert.deepEqual(test.read(HOUR, HOUR + 3600, "raw").map(({ points }) => points.avg), [[3], [1, 2, 3]]);
  const [raw] = test.store.figures().resolutions;
  assert.equal(raw!.points, 4);
});

Deno.test("MetricDatabase: its file is its owner's alone", () => {
  using test = testDatabase();
  assert.equal(Deno.statSync(test.path).mode! & 0o777, 0o600);
  assert.equal(Deno.statSync(`${test.path}-wal`).mode! & 0o777, 0o600);
});

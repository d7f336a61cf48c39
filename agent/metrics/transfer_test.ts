/** Figures of a VM from one store to another one, and what is no figures. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type FigurePart, MOST_FIGURES } from "../../lib/host/migration_protocol.ts";
import { encodeChunk } from "../../lib/metrics/chunk.ts";
import type { MetricStore } from "./metric_store.ts";
import type { MetricRetention } from "./retention.ts";
import { figureTransfer } from "./transfer.ts";

const NOW = 1_700_000_000_000;

/** A transfer, and what it asked the store. */
function transfer(found: readonly unknown[] = []) {
  const asked: (readonly unknown[])[] = [];
  const store = {
    ask: (...call: unknown[]) => {
      asked.push(call);
      return Promise.resolve(call[0] === "points" && asked.length === 1 ? found : []);
    },
  } as unknown as MetricStore;
  const retention = { keptDays: () => 1 } as unknown as MetricRetention;
  return { asked, ...figureTransfer({ store, retention, interval: 30, now: () => NOW }) };
}

const chunkOf = (times: number[]) =>
  Buffer.from(encodeChunk({ times, avg: times.map(() => 1) })).toString("base64");
const part = (chunk: string, name = "cpu_usage"): FigurePart => ({
  resolution: "raw",
  series: [{ name, label: "", chunk }],
});

Deno.test("figureTransfer: what is no figures of a VM is refused before the store has it", async () => {
  const { take, asked } = transfer();
  const last = NOW / 1000;
  for (
    const [what, bad] of [
      ["a series of hosts", part(chunkOf([last]), "pool_usage")],
      ["a name of Object's", part(chunkOf([last]), "constructor")],
      ["the future", part(chunkOf([last + 2 * 86_400]))],
      ["a time twice", part(chunkOf([last, last]))],
      ["no chunk", part("AAAA////")],
      ["one cut short", part(chunkOf([last - 60, last - 30, last]).slice(0, 8))],
    ] as const
  ) await assert.rejects(take("local", "vm", bad), { name: "ChunkError" }, what);
  assert.equal(asked.length, 0);
  await take("local", "vm", part(chunkOf([last - 30, last])));
  assert.deepEqual(asked.map(([call]) => call), ["take"]);
});

Deno.test("figureTransfer: no part is larger than a question may be", async () => {
  const points = (seed: number) => ({
    times: Array.from({ length: 3000 }, (_, index) => NOW / 1000 - 90_000 + index * 30),
    avg: Array.from({ length: 3000 }, (_, index) => Math.sin(index * seed) * 1e9),
  });
  const found = Array.from({ length: 150 }, (_, index) => ({
    name: "disk_read",
    label: `vd${index}`,
    unit: "B/s",
    points: points(index + 1),
  }));
  const { read } = transfer(found);
  const parts = await Array.fromAsync(read("local", "vm"));
  assert.ok(parts.length > 2);
  for (const { series } of parts) {
    assert.ok(series.length <= 64);
    assert.ok(series.reduce((sum, { chunk }) => sum + chunk.length, 0) <= MOST_FIGURES);
  }
  assert.deepEqual(
    parts.flatMap(({ series }) => series.map(({ label }) => label)),
    found.map(({ label }) => label),
  );
});

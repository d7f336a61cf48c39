import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "./migrations.ts";

Deno.test("what jobs of an earlier version said is told to who sees every VM: which VMs it names is not known", () => {
  const at = MIGRATIONS.findIndex((step) => step.includes("UPDATE jobs SET"));
  using database = new DatabaseSync(":memory:");
  for (const step of MIGRATIONS.slice(0, at)) database.exec(step);
  const put = database.prepare("INSERT INTO jobs VALUES (?, 1, 'done', ?, ?, 'advice')");
  const log = [{ at: 1, text: "web: done" }, { at: 2, text: "3 VMs are meant" }];
  const job = {
    id: "a",
    title: "Copy “web”",
    subject: "web",
    error: { code: "VolumeInUse", message: "used by web" },
  };
  put.run("a", JSON.stringify(job), JSON.stringify(log));
  put.run("b", JSON.stringify({ id: "b", title: "x", error: null }), "[]");
  database.exec(MIGRATIONS[at]!);
  const unknown = (text: string) => ({ $foreign: text, vmIds: [""] });
  const rows = database.prepare("SELECT record, log FROM jobs ORDER BY id").all()
    .map(({ record, log }) => [JSON.parse(String(record)), JSON.parse(String(log))]);
  assert.deepEqual(rows, [
    [
      {
        ...job,
        title: unknown(job.title),
        subject: unknown("web"),
        error: { ...job.error, message: unknown("used by web") },
      },
      log.map(({ at, text }) => ({ at, text: unknown(text) })),
    ],
    [{ id: "b", title: unknown("x"), error: null }, []],
  ]);
});

import assert from "node:assert/strict";
import { type CommandName, COMMANDS } from "../contract/mod.ts";
import { needOf } from "../access/permissions.ts";
import { namedIn } from "./about.ts";

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly enum?: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** Place in an input that can have a text. */
interface Place {
  readonly field: string;
  readonly schema: Schema;
  /** An input that has a text there, and nothing else. */
  readonly holding: (text: string) => unknown;
}

function placesIn(schema: Schema, field: string, holding: (value: unknown) => unknown): Place[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, each]) =>
    placesIn(each, name, (value) => holding({ [name]: value }))
  );
  const items = schema.items === undefined ? [] : placesIn(schema.items, field, (value) => holding([value]));
  const shapes = (schema.anyOf ?? []).flatMap((each) => placesIn(each, field, holding));
  const isText = schema.type === "string" && schema.enum === undefined && schema.const === undefined;
  return [...inner, ...items, ...shapes, ...isText ? [{ field, schema, holding }] : []];
}

const PLACES = (Object.keys(COMMANDS) as CommandName[]).flatMap((command) =>
  placesIn(COMMANDS[command].input as Schema, "", (value) => value).map((place) => ({ command, ...place }))
);

/** Fields that speak of pools, and name none that a call uses: lists that administrators write. */
const LISTS = new Set(["pools", "images"]);
/** Commands whose paths are those of a guest, and fields with paths in a backup. */
const isOfHost = (command: CommandName, field: string) =>
  !needOf(command).permission.startsWith("guest.") && field !== "mountpoints" && field !== "filesystem";

Deno.test("What a call names: every field of the contract that takes a path has it judged", () => {
  const probe = "/srv/probe",
    takes = PLACES.filter(({ command, field, schema: { pattern } }) =>
      isOfHost(command, field) && (pattern === undefined || new RegExp(pattern, "u").test(probe))
    );
  const unseen = takes.filter(({ command, holding }) => !namedIn(command, holding(probe)).paths.has(probe));
  // None of these is a path: texts for people, names that others are told by, and fields with names of pools and VMs
  const known = [
    ...["arguments", "definition", "description", "displayName", "input", "parameters", "pool", "project"],
    ...["project_id", "projectId", "steps", "targetPool", "title", "toPool", "vmId", "vmIds", "xml"],
  ];
  assert.deepEqual(
    [...new Set(unseen.map(({ field }) => field))].filter((each) => !known.includes(each)),
    [],
  );
  assert.ok(takes.length > 100);
});

Deno.test("What a call names: every field of the contract that takes a pool, or pool/volume, has the pool judged", () => {
  const speaks = PLACES.filter(({ command, field, schema: { description = "" } }) =>
    isOfHost(command, field) && !LISTS.has(field) &&
    /pool\/volume|^name of the storage pool|storage pool of that host/.test(description)
  );
  const unseen = speaks.filter(({ command, holding }) => !namedIn(command, holding("probe/v")).pools.size);
  assert.deepEqual(unseen.map(({ command, field }) => `${command} ${field}`), []);
  const fields = new Set(speaks.map(({ field }) => field));
  for (const field of ["path", "isoPath", "backing", "backingFile", "image", "pool", "toPool"]) {
    assert.ok(fields.has(field), field);
  }
});

import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { doneWord, noticeOf, noticeText } from "../../lib/text/done.ts";
import { givenName, methodOf, subjectField, subjectName } from "./object_name.ts";

/** An API whose lists have one row, called `web-2`; whose other calls are refused. */
const api = new Proxy({}, {
  get: (_target, method: string) => (_input: unknown) => {
    const row = { id: "7", name: "web-2", role: "web-2", reason: "web-2", message: "web-2", title: "web-2" };
    const found = Object.entries(COMMANDS as Readonly<Record<string, Command>>)
      .find(([name, { lookup }]) => lookup !== undefined && methodOf(name) === method);
    if (found === undefined) return Promise.reject(new ContractError("Internal"));
    const { lookup, rows } = found[1], { by, more = "name" } = lookup!;
    const named = { ...row, [more]: "web-2", ...(by !== "id" && { [by]: "web-2" }) };
    return Promise.resolve(rows === undefined ? [named] : { [rows]: [named] });
  },
}) as PageState["api"];

/** Commands that are about one's own account, or a setting of the whole: their texts say which. */
const WITHOUT_NAME =
  /^(set_up|sign_|confirm_|begin_|reauthenticate|create_setup_link|set_password|set_time_zone|set_language|disable_totp|update_(audit_retention|retention_policy|metric_push|bin_policy)|test_metric_push|execute_cleanup|empty_bin|set_image_policy|batch_|update_preferences|set_preferences)/;

const FORMS = (Object.entries(COMMANDS) as [CommandName, Command][])
  .filter(([name, { readOnly, content }]) => !readOnly && content === undefined && !WITHOUT_NAME.test(name));

Deno.test("each command that a form can carry out names what it was done to", async () => {
  const silent: string[] = [];
  for (const [command, row] of FORMS) {
    const field = subjectField(row);
    const input = field === undefined || /^id$|Id$/.test(field)
      ? { [field ?? "name"]: "7" }
      : { [field]: "web-2" };
    const given = field === undefined ? { name: "web-2" } : {};
    const name = givenName(command, given, null) ?? await subjectName(api, command, input);
    const text = noticeText(noticeOf(command, input, null, name));
    if (text !== undefined && !text.includes("web-2")) silent.push(`${command}: ${text}`);
  }
  assert.deepEqual(silent, []);
});

Deno.test("subjectName() names by the list, and says nothing of what cannot be seen", async () => {
  assert.equal(await subjectName(api, "delete_backup", { backupId: "7" }), "web-2");
  assert.equal(await subjectName(api, "delete_backup", { backupId: "8" }), undefined, "there is none");
  assert.equal(await subjectName(api, "delete_volume", { pool: "default", volume: "a.iso" }), "a.iso");
  assert.equal(
    await subjectName(api, "create_backup", { name: "x" }),
    undefined,
    "what it makes is not there yet",
  );
  const refusing = { listBackups: () => Promise.reject(new ContractError("Forbidden", { role: "viewer" })) };
  assert.equal(
    await subjectName(refusing as unknown as PageState["api"], "delete_backup", { backupId: "7" }),
    undefined,
  );
});

Deno.test("givenName() takes the new name of what is made, copied, renamed or restored", () => {
  assert.equal(givenName("create_backup", { name: "nightly" }, { name: "other" }), "nightly");
  assert.equal(givenName("restore_backup", { backupId: "1" }, { name: "web-restored" }), "web-restored");
  assert.equal(givenName("delete_backup", { backupId: "1" }, null), undefined);
  assert.equal(doneWord("delete_backup", { backupId: "1" }), "delete_backup");
});

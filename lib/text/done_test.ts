import assert from "node:assert/strict";
import { type Command, COMMANDS } from "../contract/mod.ts";
import { forms } from "../i18n/en/forms.ts";
import { doneText, doneWord, noticeOf, noticeText } from "./done.ts";
import type { FieldSchema } from "./values.ts";

Deno.test("doneWord() and doneText(): a command's words, those of its field where there are some, and no others", () => {
  assert.equal(doneText(doneWord("start_network", { name: "lan" }), "lan"), "The network lan was started.");
  assert.equal(
    doneWord("enable_port_forward", { id: "1", enabled: false }),
    "enable_port_forward.enabled.false",
  );
  assert.equal(
    doneWord("update_network_dhcp", { name: "n", addRanges: [] }),
    "update_network_dhcp.addRanges",
  );
  assert.equal(doneText("start_vm", "web"), "Started: web", "the activity's words");
  assert.equal(doneText("delete_backup"), "Backup job deleted", "without a name the activity's words");
  for (const word of ["constructor", "start", "<b>"]) assert.equal(doneText(word), undefined);
});

Deno.test("noticeText() says what was deleted with a VM, and what was started", () => {
  const gone = noticeOf("delete_vm", { vmId: "1" }, {
    deletedDisks: ["/a"],
    bin: { entryId: "e", until: 1, paths: ["/b", "/c"] },
  }, "web-2");
  assert.equal(noticeText(gone), "Deleted web-2 and 3 disks.");
  assert.equal(gone.entryId, "e");
  assert.equal(noticeOf("detach_disk", {}, { bin: { entryId: "e", paths: [] } }, "x").entryId, undefined);
  assert.deepEqual(noticeOf("set_tags", {}, { warnings: ["It ends."] }, "x").warnings, ["It ends."]);
  assert.match(noticeText({ is: "started", word: "clone_vm", name: "web-3" }) ?? "", /web-3/);
  assert.equal(noticeText({ is: "started", word: "<b>" }), undefined);
});

Deno.test("noticeText() says what a running VM has from its next start on", () => {
  const said = (answer: unknown, isLive = true) =>
    noticeText(noticeOf("update_disk", { vmId: "1" }, answer, "vda", isLive));
  assert.equal(said({ live: false, persistent: true }), "Disk changed: vda: from the next start on");
  assert.match(
    said({ live: true, persistent: true, waiting: ["cache"] }) ?? "",
    /all else from the next start on$/,
  );
  for (
    const done of [said({ live: true, persistent: true }), said({ live: false, persistent: true }, false)]
  ) {
    assert.equal(done, "Disk changed: vda");
  }
});

Deno.test("each text of a form that was carried out is of a command and a field that there are", () => {
  const known: Readonly<Record<string, Command>> = COMMANDS;
  for (const key of Object.keys(forms).filter((each) => each.startsWith("forms.done."))) {
    const [command = "", field] = key.slice("forms.done.".length).split(".");
    assert.ok(Object.hasOwn(known, command), key);
    if (field !== undefined) {
      assert.ok(Object.hasOwn((known[command]!.input as FieldSchema).properties ?? {}, field), key);
    }
  }
});

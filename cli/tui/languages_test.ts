/** The terminal UI in other languages, at 80 × 24: nothing stays English, nothing is cut off, and the keys stay the same. */
import assert from "node:assert/strict";
import type { HostStatus, Job, VM } from "../../lib/contract/mod.ts";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { en } from "../../lib/i18n/en.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { tui } from "../../lib/i18n/en/tui.ts";
import { verbHelp } from "../../lib/i18n/en/verb_help.ts";
import { LANGUAGES } from "../../lib/i18n/languages.ts";
import { addTexts, SOURCE_LOCALE, useLocale } from "../../lib/i18n/locale.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { addPseudoTexts, PSEUDO_LOCALE } from "../../lib/i18n/pseudo.ts";
import { MINUTE_MS } from "../../lib/duration.ts";
import { aVm } from "../../lib/text/vm_fixture_test.ts";
import { helpTexts } from "../verb/help.ts";
import { header, keyHelp, said } from "./chrome.ts";
import { UNICODE } from "./glyphs.ts";
import type { StyledLine } from "./line.ts";
import type { Link } from "./link.ts";
import { ConfirmPane } from "./pane/confirm.ts";
import { openForm } from "./pane/form.ts";
import { HostsPane } from "./pane/hosts.ts";
import { KeysPane } from "./pane/keys.ts";
import { MessagesPane } from "./pane/messages.ts";
import { PalettePane } from "./pane/palette.ts";
import { TasksPane } from "./pane/tasks.ts";
import { VmPane } from "./pane/vm.ts";
import { VmsPane } from "./pane/vms.ts";
import type { Pane, PaneArea } from "./pane.ts";
import { answersOf, press, tableServer, TestDesk } from "./testing.ts";
import { vmBindings } from "./vm_keys.ts";
import { columnsOf } from "./width.ts";

const { t } = textsOf(tui);

const NOW = Date.UTC(2026, 0, 2),
  PLACE: PaneArea = {
    columns: 80,
    rows: 20,
    now: NOW,
    look: { colours: false, glyphs: UNICODE },
  };

const VMS: readonly VM[] = [
  aVm({ name: "w1", id: "id1", startedAt: NOW - 1439 * MINUTE_MS, attention: [], tags: ["7"] }),
  aVm({ name: "w2", id: "id2", state: "stopped", pendingChanges: 2, description: "7" }),
  aVm({ name: "w3", id: "id3", responsive: false }),
];
const JOB: Job = {
  id: "j1",
  command: "backup_vm",
  title: "7",
  state: "running",
  actor: "8",
  progress: 0.5,
  startedAt: NOW - 1439 * MINUTE_MS,
  endedAt: null,
  error: null,
  cancellable: true,
  cancelling: false,
  doneBytes: null,
  totalBytes: null,
  secondsLeft: 90,
} as unknown as Job;

/** Speaks a language of the program, with all of its texts. */
async function speak(language: string): Promise<Disposable> {
  if (language !== SOURCE_LOCALE) {
    const folder = new URL(`../../lib/i18n/${language}/`, import.meta.url);
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".json")) continue;
      addTexts(language, JSON.parse(await Deno.readTextFile(new URL(name, folder))));
    }
  }
  return useLocale(() => language);
}

/** Speaks the pseudo-locale: each text of ours stands between ⟦ and ⟧. */
function speakPseudo(): Disposable {
  const byText = [...helpTexts(), ...Object.values(COMMANDS).map(({ summary }) => summary)];
  for (const texts of [en, shell, tui, verbHelp, Object.fromEntries(byText.map((text) => [text, text]))]) {
    addPseudoTexts(texts);
  }
  return useLocale(() => PSEUDO_LOCALE);
}

/** A desk of a server with these VMs, a task and hosts in each state. */
async function aDesk(): Promise<TestDesk> {
  const answers = answersOf(VMS, { jobs: [JOB, { ...JOB, id: "j2", state: "interrupted", endedAt: NOW }] });
  const [host] = answers.list_hosts as [HostStatus];
  const hosts = (["connected", "connecting", "disconnected", "disabled"] as const).map((status, index) => ({
    ...host,
    id: `h${index}`,
    label: `h${index}`,
    status,
    since: NOW - 1439 * MINUTE_MS,
    error: null,
    vmCount: 12,
    activeVmCount: 3,
    isLocal: index === 0,
    load: { cpuUsagePercent: 100, memoryUsedMb: 900_000, memoryTotalMb: 1_500_000, timestamp: NOW },
  }));
  return await TestDesk.of(tableServer({ ...answers, list_hosts: hosts }));
}

/** Every pane of the UI, by what it shows. */
async function panes(): Promise<readonly (readonly [name: string, pane: Pane])[]> {
  const desk = await aDesk(), empty = await TestDesk.of(tableServer(answersOf([])));
  const searching = (pane: Pane) => (press(pane, "/", "9"), pane);
  const top = (open: (desk: TestDesk) => void): Pane => (open(desk), desk.top);
  const bindings = VMS.flatMap((vm) => vmBindings(desk, vm));
  const vms = new VmsPane(desk);
  return [
    ["VMs", vms],
    ["no VMs", new VmsPane(empty)],
    ["VMs searched for", searching(new VmsPane(desk))],
    ["tasks", new TasksPane(desk)],
    ["no tasks", new TasksPane(empty)],
    ["tasks searched for", searching(new TasksPane(desk))],
    ["task's stop", top((on) => press(new TasksPane(on), "x"))],
    ["hosts", new HostsPane(desk)],
    ["hosts searched for", searching(new HostsPane(desk))],
    ["host", top((on) => press(new HostsPane(on), "enter"))],
    ...VMS.map(({ id }) => [`VM ${id}`, new VmPane(desk, id)] as const),
    ["VM that is gone", new VmPane(desk, "none")],
    ["keys", new KeysPane(desk, [["⟦⟧", [...vms.bindings(), ...bindings]]])],
    ["no messages", new MessagesPane(desk)],
    ["palette", new PalettePane(desk)],
    ["palette of a VM", new PalettePane(desk, VMS[0])],
    ["form", top((on) => openForm(on, "create_vm"))],
    ["form with switches", top((on) => openForm(on, "delete_vm"))],
    ["form of nothing", top((on) => openForm(on, "get_session"))],
    [
      "kill",
      top((on) => press(vms, "down") ?? vmBindings(on, VMS[0]!).find(({ keys }) => keys[0] === "K")!.run()),
    ],
    ["delete", top((on) => vmBindings(on, VMS[1]!).find(({ keys }) => keys[0] === "D")!.run())],
    ["question", new ConfirmPane({ text: "7", note: "8", yes: "9", run: () => {} }, () => {})],
  ];
}

const LINKS: readonly Link[] = [
  { state: "connecting" },
  { state: "connected" },
  { state: "silent", since: NOW - 90_000 },
  { state: "broken", since: NOW - 90_000, reason: "7" },
];

/** Frame of a pane. @param titles of the first line */
function around(pane: Pane, titles: readonly string[]): readonly StyledLine[] {
  const status = { who: "8", working: 2 };
  const tabs = titles.map((title, index) => ({ key: String(index + 1), title, isShown: index === 0 }));
  return [
    ...LINKS.flatMap((link) => [
      header(tabs, [], { ...status, link }, PLACE),
      ...said(link, undefined, PLACE),
    ]),
    ...keyHelp(pane.bindings(), PLACE),
  ];
}

const textOf = (line: StyledLine) => line.map(({ text }) => text).join("");

/** Texts of a line that are cut when it is painted. */
function cut(line: StyledLine): readonly string[] {
  let at = 0;
  return line.flatMap(({ text, width }) => {
    const wanted = columnsOf(text, UNICODE), most = Math.min(PLACE.columns - at, width ?? Infinity);
    at += Math.min(width ?? wanted, most);
    return wanted > most && text.trim() !== "" ? [text] : [];
  });
}

/** Names, values, keys and units that are the same in every language. */
const SAME =
  /\b(KVM Manager|w[123]|id[123]|h[0-3]|lab|local|libvirt|bios|kvm|vm-id|vm|name|TEXT|Jan|(Ctrl|Shift)\+\w|Esc|Enter|Tab|Up|Down|Left|Right|PgUp|PgDn|Home|End|Space|[A-Za-z])\b|\d+[dhms]\b|[\d.]+ [KMGT]iB/g;

Deno.test("no pane of the terminal UI, and nothing around one, has a word that is no text", async () => {
  using _locale = speakPseudo();
  const english: string[] = [];
  for (const [name, pane] of await panes()) {
    const isForm = name.startsWith("form");
    const own = isForm || name.startsWith("palette")
      ? pane.lines(PLACE).map((line) => line.filter(isNoName))
      : pane.lines(PLACE);
    const whole = [...own, ...around(pane, [isForm ? "" : pane.title])].map(textOf).join(" ");
    // In the pseudo-locale every vowel has an accent
    const words = whole.replaceAll(SAME, "").match(/[\p{L}-]{2,}/gu) ?? [];
    const left = words.filter((word) => /[aeiouy]/i.test(word));
    if (left.length > 0) english.push(`${name}: ${left.join(" ")}`);
  }
  assert.deepEqual(english, []);
});

/** Whether a span is none of the words of a command or an option, which are typed as they are in every language. */
const isNoName = ({ width }: StyledLine[number]) => width === undefined;

for (const language of [...Object.keys(LANGUAGES), PSEUDO_LOCALE]) {
  Deno.test(`nothing is cut off in ${language}, and the keys that leave a pane have room`, async () => {
    using _locale = language === PSEUDO_LOCALE ? speakPseudo() : await speak(language);
    const found: string[] = [];
    // The first line shortens its titles for how the connection is: those of real languages have room
    const titles = language === PSEUDO_LOCALE ? [] : [t("tui.vms"), t("tui.tasks"), t("tui.hosts")];
    for (const [name, pane] of await panes()) {
      // What a command does may be longer than a line in English, too: its form says all of it
      const own = name.startsWith("palette") ? [] : pane.lines(PLACE);
      found.push(...[...own, ...around(pane, titles)].flatMap(cut).map((text) => `${name}: ${text}`));
      const offered = keyHelp(pane.bindings(), PLACE).flat().map(({ press }) => press);
      const leaving = pane.bindings().filter(({ keys, isMinor }) => keys.includes("esc") && !isMinor);
      for (const { keys: [first] } of leaving) {
        if (!offered.includes(first)) found.push(`${name}: no ${first}`);
      }
    }
    assert.deepEqual(found, []);
  });

  Deno.test(`the pages have their columns in ${language}`, async () => {
    using _locale = language === PSEUDO_LOCALE ? speakPseudo() : await speak(language);
    const desk = await aDesk();
    const columns = (pane: Pane) => pane.lines(PLACE)[0]!.filter(({ text }) => text.trim() !== "").length;
    const least = language === PSEUDO_LOCALE ? [4, 3, 5] : [5, 5, 6];
    const shown = [new VmsPane(desk), new TasksPane(desk), new HostsPane(desk)].map(columns);
    assert.ok(shown.every((count, index) => count >= least[index]!), shown.join());
  });
}

Deno.test("a question takes the language's letter for yes, y, and n", async () => {
  const letters: string[] = [];
  for (const language of Object.keys(LANGUAGES)) {
    using _locale = await speak(language);
    let yes = 0, closed = 0;
    const pane = new ConfirmPane({ text: "", note: "", yes: "", run: () => yes++ }, () => closed++);
    const [letter = ""] = pane.bindings()[0]!.keys;
    letters.push(letter);
    press(pane, letter, letter.toUpperCase(), "y", "Y", "n", "N", "esc");
    assert.deepEqual([yes, closed], [4, 7], language);
  }
  assert.deepEqual([...new Set(letters)].sort(), ["j", "o", "s", "y"]);
});

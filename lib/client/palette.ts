/** What the command palette offers for what is typed: pages, machines, actions on them, themes. */
import type { VM } from "../contract/mod.ts";
import { type ActionName, ACTIONS, allowedActions, wordsOf } from "../vm/actions.ts";
import { fuzzyFind, type FuzzyMatch } from "../text/fuzzy.ts";
import { STATES } from "../vm/state.ts";
import { oneLine } from "../text/text.ts";
import { VM_TABS } from "../vm/tabs.ts";
import { palette as paletteTexts } from "../i18n/en/palette.ts";
import { t, textsOf } from "../i18n/mod.ts";

const texts = textsOf(paletteTexts);

/** What choosing an entry does. */
export type Effect =
  | { readonly kind: "go"; readonly href: string }
  | { readonly kind: "act"; readonly action: ActionName; readonly vm: VM }
  | { readonly kind: "theme"; readonly theme: string }
  | { readonly kind: "keys" };

/** One entry. */
export interface Command {
  readonly id: string;
  readonly label: string;
  /** In grey behind it: a state, a kind. */
  readonly hint: string;
  readonly icon:
    | "machines"
    | "dashboard"
    | "disk"
    | "network"
    | "disc"
    | "sun"
    | "moon"
    | "system"
    | "circleHelp"
    | ActionIcon;
  readonly effect: Effect;
}

type ActionIcon = typeof ACTIONS[ActionName]["icon"];

/** An entry that matches, and where. */
export interface FoundCommand {
  readonly command: Command;
  readonly match: FuzzyMatch;
}

const SHOWN = 12;
/** Actions and pages are offered once it is clear for which machine: with fewer letters every machine would bring its own. */
const ACTION_LETTERS = 2;

/** An entry that leads to a page. */
const toPage = (id: string, label: string, icon: Command["icon"], href: string): Command => ({
  id,
  label,
  hint: texts.t("palette.page"),
  icon,
  effect: { kind: "go", href },
});
/** An entry that sets the theme. */
const toTheme = (theme: "system" | "light" | "dark", icon: Command["icon"]): Command => ({
  id: `theme-${theme}`,
  label: t(`theme.${theme}`),
  hint: texts.t("palette.theme"),
  icon,
  effect: { kind: "theme", theme },
});

/** The entries that are always there. */
const fixedCommands = (): readonly Command[] => [
  toPage("dashboard", t("nav.dashboard"), "dashboard", "/"),
  toPage("vms", t("nav.vms"), "machines", "/vms"),
  toPage("new", t("vms.new"), "machines", "/vms/new"),
  toPage("storage", t("nav.storage"), "disk", "/storage"),
  toPage("networks", t("nav.networks"), "network", "/networks"),
  toPage("images", t("nav.images"), "disc", "/images"),
  toPage("attention", texts.t("palette.attention"), "machines", "/vms?state=attention"),
  toPage("import", texts.t("palette.import"), "machines", "/vms/import"),
  toPage("import-ova", texts.t("palette.import_ova"), "machines", "/vms/import-ova"),
  toTheme("system", "system"),
  toTheme("light", "sun"),
  toTheme("dark", "moon"),
  {
    id: "keys",
    label: texts.t("keys.title"),
    hint: texts.t("palette.help"),
    icon: "circleHelp",
    effect: { kind: "keys" },
  },
];

function machine(vm: VM): Command {
  return {
    id: vm.id,
    label: oneLine(vm.name, 80),
    hint: t(STATES[vm.state].word),
    icon: "machines",
    effect: { kind: "go", href: `/vms/${encodeURIComponent(vm.id)}` },
  };
}

function actions(vm: VM): Command[] {
  return allowedActions(vm).map((action) => ({
    id: `${vm.id} ${action}`,
    label: texts.t("palette.act", { action: t(wordsOf(action, vm).label), name: oneLine(vm.name, 80) }),
    hint: texts.t("palette.action"),
    icon: ACTIONS[action].icon,
    effect: { kind: "act", action, vm },
  }));
}

/** The pages below a machine's own: "Console of web-01". */
function pages(vm: VM): Command[] {
  return VM_TABS.filter(({ path }) => path !== "").map(({ path, label }) => ({
    id: `${vm.id}${path}`,
    label: texts.t("palette.tab", { page: t(label), name: oneLine(vm.name, 80) }),
    hint: texts.t("palette.page"),
    icon: "machines",
    effect: { kind: "go", href: `/vms/${encodeURIComponent(vm.id)}${path}` },
  }));
}

function* commands(vms: readonly VM[], isClear: boolean, controllable: boolean): Generator<Command> {
  yield* fixedCommands();
  for (const vm of vms) yield machine(vm);
  if (!isClear) return;
  for (const vm of vms) {
    if (controllable) yield* actions(vm);
    yield* pages(vm);
  }
}

/** The entries for what is typed, best first. Actions are left out while nothing can be done. */
export function findCommands(typed: string, vms: readonly VM[], controllable: boolean): FoundCommand[] {
  const isClear = typed.trim().length >= ACTION_LETTERS;
  return fuzzyFind(typed, commands(vms, isClear, controllable), ({ label }) => label, SHOWN)
    .map(({ item, match }) => ({ command: item, match }));
}

/** Entries of the command palette for a typed text: pages, VMs, networks, pools, actions, themes. */
import type { Theme } from "../page_state.ts";
import { isOfferedNow } from "../access/looking.ts";
import { mayOpenNow } from "../access/offers.ts";
import type { Image, Network, StoragePool, VM } from "../contract/mod.ts";
import { awayHosts, hostIdOf, type ListedHost } from "../host/listed.ts";
import { hrefOn } from "../text/host_path.ts";
import { type ActionName, ACTIONS, actionWords, allowedActions } from "../vm/actions.ts";
import { searchTextOf } from "../vm/list.ts";
import { fuzzyFind, type FuzzyMatch, fuzzyMatch } from "../text/fuzzy.ts";
import { networkHref } from "../network/network_href.ts";
import { poolHref } from "../storage/pool_href.ts";
import { STATES } from "../vm/state.ts";
import { oneLine } from "../text/text.ts";
import { VM_TABS } from "../vm/tabs.ts";
import { palette as paletteTexts } from "../i18n/en/palette.ts";
import { t, textsOf } from "../i18n/mod.ts";

const texts = textsOf(paletteTexts);

/** Effect of choosing an entry. */
export type Effect =
  | { readonly kind: "go"; readonly href: string }
  | { readonly kind: "act"; readonly action: ActionName; readonly vm: VM }
  | { readonly kind: "theme"; readonly theme: Theme }
  | { readonly kind: "keys" }
  | { readonly kind: "sign out" };

/** Icons of the entries that are made here. */
type OwnIcon =
  | "vms"
  | "disk"
  | "network"
  | "disc"
  | "sun"
  | "moon"
  | "system"
  | "circleHelp"
  | "signOut"
  | typeof ACTIONS[ActionName]["icon"];

/** One entry. */
export interface PaletteCommand<Icon extends string = OwnIcon> {
  readonly id: string;
  readonly label: string;
  /** In grey behind it: a state, a kind. */
  readonly hint: string;
  readonly icon: Icon;
  readonly effect: Effect;
  /** Other words it is found by, in lower case: addresses, tags. */
  readonly words?: string;
  /** Stands behind what has the words anywhere, even if it begins with them: a VM's disk behind the VM's console. */
  readonly isMinor?: true;
}

/** An entry that matches, and where. */
export interface FoundCommand<Icon extends string = OwnIcon> {
  readonly command: PaletteCommand<Icon>;
  readonly match: FuzzyMatch;
}

/** A page of the product. */
export interface PalettePage<Icon extends string> {
  readonly href: string;
  readonly label: string;
  readonly icon: Icon;
}

/** Objects that the palette searches. */
export interface PaletteScope<Icon extends string> {
  readonly vms: readonly VM[];
  /** The hosts, where there are several. */
  readonly hosts: readonly ListedHost[];
  /** VMs of other hosts than the page's: they are led to. */
  readonly otherVms: readonly VM[];
  readonly pages: readonly PalettePage<Icon>[];
  readonly networks: readonly Pick<Network, "name" | "bridge" | "subnets">[];
  readonly pools: readonly Pick<StoragePool, "name" | "path">[];
  readonly images: readonly Pick<Image, "pool" | "name">[];
  /** Whether anything can be done to VMs now. */
  readonly controllable: boolean;
  readonly maySignOut: boolean;
}

/** Everything about one VM. */
const SHOWN = 20;
/** Actions and pages are offered once it is clear for which VM: with fewer letters every VM would bring its own. */
const ACTION_LETTERS = 2;

/** An entry that leads to a page. */
const toPage = <Icon extends string>({ href, label, icon }: PalettePage<Icon>): PaletteCommand<Icon> => ({
  id: href,
  label,
  hint: texts.t("palette.page"),
  icon,
  effect: { kind: "go", href },
});
/** An entry that sets the theme. */
const toTheme = (theme: Theme, icon: OwnIcon): PaletteCommand => ({
  id: `theme-${theme}`,
  label: t(`theme.${theme}`),
  hint: texts.t("palette.theme"),
  icon,
  effect: { kind: "theme", theme },
});

/** The entries that are always there, in addition to the pages. */
function* fixedCommands(maySignOut: boolean): Generator<PaletteCommand> {
  yield toPage({ href: "/vms/new", label: t("vms.new"), icon: "vms" });
  yield toPage({ href: "/vms?state=attention", label: texts.t("palette.attention"), icon: "vms" });
  yield toPage({ href: "/vms/import", label: texts.t("palette.import"), icon: "vms" });
  yield toPage({ href: "/vms/import-ova", label: texts.t("palette.import_ova"), icon: "vms" });
  yield toPage({ href: "/vms/import-from", label: texts.t("palette.import_from"), icon: "vms" });
  yield toTheme("system", "system");
  yield toTheme("light", "sun");
  yield toTheme("dark", "moon");
  yield {
    id: "keys",
    label: texts.t("keys.title"),
    hint: texts.t("palette.help"),
    icon: "circleHelp",
    effect: { kind: "keys" },
  };
  if (maySignOut) {
    yield {
      id: "sign-out",
      label: t("user.sign_out"),
      hint: texts.t("palette.account"),
      icon: "signOut",
      effect: { kind: "sign out" },
    };
  }
}

function hostCommand({ id, label, connected }: ListedHost): PaletteCommand {
  return {
    id: `host ${id}`,
    label: oneLine(label, 80),
    hint: texts.t(connected ? "palette.host" : "palette.host_away"),
    icon: "vms",
    effect: { kind: "go", href: hrefOn(id, "/") },
    words: id,
  };
}

/** @param host the VM's, where there are several */
function vmCommand(vm: VM, host: ListedHost | undefined): PaletteCommand {
  const state = t(STATES[vm.state].word);
  return {
    id: vm.id,
    label: oneLine(vm.name, 80),
    hint: host === undefined ? state : texts.t("palette.state_on", { state, host: oneLine(host.label, 40) }),
    icon: "vms",
    effect: { kind: "go", href: `/vms/${encodeURIComponent(vm.id)}` },
    words: searchTextOf(vm),
  };
}

/** The networks, pools and images. */
function* resources({ networks, pools, images }: PaletteScope<string>): Generator<PaletteCommand> {
  for (const { name, bridge, subnets } of networks) {
    yield {
      id: `network ${name}`,
      label: oneLine(name, 80),
      hint: texts.t("palette.network"),
      icon: "network",
      effect: { kind: "go", href: networkHref(name) },
      words: [bridge ?? "", ...subnets.map(({ cidr }) => cidr)].join("\n").toLowerCase(),
    };
  }
  for (const { name, path } of pools) {
    yield {
      id: `pool ${name}`,
      label: oneLine(name, 80),
      hint: texts.t("palette.pool"),
      icon: "disk",
      effect: { kind: "go", href: poolHref(name) },
      words: (path ?? "").toLowerCase(),
    };
  }
  for (const { pool, name } of images) {
    yield {
      id: `image ${pool}/${name}`,
      label: oneLine(name, 80),
      hint: texts.t("palette.image", { pool: oneLine(pool, 40) }),
      icon: "disc",
      effect: { kind: "go", href: `${poolHref(pool)}?${new URLSearchParams({ q: name })}` },
      isMinor: true,
    };
  }
}

/** Whether an action ends or interrupts what runs. */
const isDangerous = (action: ActionName) =>
  ACTIONS[action].danger !== undefined || ACTIONS[action].interrupts === true;

function actions(vm: VM, isWanted: (action: ActionName) => boolean): PaletteCommand[] {
  return allowedActions(vm).filter((action) =>
    isWanted(action) && isOfferedNow(ACTIONS[action].command, vm.id)
  ).map((action) => ({
    id: `${vm.id} ${action}`,
    label: texts.t("palette.act", { action: t(actionWords(action, vm).label), name: oneLine(vm.name, 80) }),
    hint: texts.t("palette.action"),
    icon: ACTIONS[action].icon,
    effect: { kind: "act", action, vm },
  }));
}

/** The pages below a VM's own, its console first: "Console of web-01". */
function pages(vm: VM): PaletteCommand[] {
  return VM_TABS.filter(({ path }) => path !== "" && mayOpenNow(`/vms/${encodeURIComponent(vm.id)}${path}`))
    .map(({ path, label }) => ({
      id: `${vm.id}${path}`,
      label: texts.t("palette.tab", { page: t(label), name: oneLine(vm.name, 80) }),
      hint: texts.t("palette.page"),
      icon: "vms",
      effect: { kind: "go", href: `/vms/${encodeURIComponent(vm.id)}${path}` },
    }));
}

/** Everything, in the order in which entries stand that match alike: what does harm comes last. */
function* commands<Icon extends string>(
  scope: PaletteScope<Icon>,
  isClear: boolean,
): Generator<PaletteCommand<Icon | OwnIcon>> {
  for (const page of scope.pages) yield toPage(page);
  yield* fixedCommands(scope.maySignOut);
  const { hosts } = scope, hostOf = (vm: VM) => hosts.find(({ id }) => id === hostIdOf(vm, hosts));
  for (const host of hosts) yield hostCommand(host);
  for (const vm of [...scope.vms, ...scope.otherVms]) yield vmCommand(vm, hostOf(vm));
  yield* resources(scope);
  if (!isClear) return;
  const away = awayHosts(hosts, () => null);
  const isReachable = (vm: VM) => scope.controllable && !away.has(hostIdOf(vm, hosts));
  for (const vm of scope.vms) {
    const [console, ...others] = pages(vm);
    if (console) yield console;
    if (isReachable(vm)) yield* actions(vm, (action) => !isDangerous(action));
    yield* others;
  }
  for (const vm of scope.vms.filter(isReachable)) yield* actions(vm, isDangerous);
}

/** How near an entry is that has every word; null where one is missing. Less is nearer. */
function distance(
  { label, words = "", isMinor }: PaletteCommand<string>,
  typed: string,
  parts: readonly string[],
) {
  const lower = label.toLowerCase();
  if (lower === typed) return 0;
  if (lower.startsWith(typed)) return isMinor ? 3 : 1;
  if (parts.every((part) => lower.includes(part))) return isMinor ? 3 : 2;
  return parts.every((part) => lower.includes(part) || words.includes(part)) ? 3 : null;
}

/**
 * The entries for what is typed, best first: those that have its words, and only where there are none, those that have
 * its letters in order. Actions are left out while nothing can be done.
 */
export function findCommands<Icon extends string>(
  typed: string,
  scope: PaletteScope<Icon>,
): FoundCommand<Icon | OwnIcon>[] {
  const wanted = typed.trim().toLowerCase();
  const isClear = wanted.length >= ACTION_LETTERS;
  const all = () => commands(scope, isClear);
  if (wanted !== "") {
    const parts = wanted.split(/\s+/), found: { command: PaletteCommand<Icon | OwnIcon>; far: number }[] = [];
    for (const command of all()) {
      const far = distance(command, wanted, parts);
      if (far !== null) found.push({ command, far });
    }
    if (found.length > 0) {
      return found.sort((one, other) => one.far - other.far).slice(0, SHOWN).map(({ command }) => ({
        command,
        match: fuzzyMatch(wanted, command.label) ?? { score: 0, positions: [] },
      }));
    }
  }
  return fuzzyFind(typed, all(), ({ label }) => label, SHOWN)
    .map(({ item, match }) => ({ command: item, match }));
}

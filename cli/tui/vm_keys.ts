/** Keys for a VM: only those that its state allows and the session has the rights for. */
import type { VM } from "../../lib/contract/mod.ts";
import { type ActionName, ACTIONS, actionWords, isAllowed } from "../../lib/vm/actions.ts";
import type { Desk } from "./desk.ts";
import { ConfirmPane } from "./pane/confirm.ts";
import type { Binding } from "./pane.ts";
import { tui } from "../../lib/i18n/en/tui.ts";
import { t as common, textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

/** Key → actions, of which a state allows one at most. */
const KEYS: readonly (readonly [key: string, actions: readonly ActionName[]])[] = [
  ["s", ["start", "resume"]],
  ["t", ["stop"]],
  ["r", ["reboot"]],
  ["p", ["pause"]],
  ["z", ["suspend", "discard_memory"]],
  ["R", ["reset"]],
  ["K", ["force_stop"]],
  ["D", ["delete"]],
];
/** Those that stand on the page of keys alone: there is no room for all. */
const MINOR: ReadonlySet<ActionName> = new Set(["reboot", "pause", "suspend", "discard_memory", "reset"]);

/** Asks, where something is lost or interrupted, and carries an action out. */
function act(desk: Desk, name: ActionName, { id, name: vmName, state }: VM): void {
  const { command, interrupts, danger } = ACTIONS[name],
    { label, done, doing } = actionWords(name, { state });
  const run = (more: Readonly<Record<string, unknown>> = {}) =>
    desk.work({
      name: command,
      input: { vmId: id, ...more },
      doing: t("tui.named", { name: vmName, text: common(doing) }),
      done: (answer) =>
        [common("done.on", { name: vmName, done: common(done) }), ...warningsIn(answer)].join(". "),
    });
  if (danger === undefined && interrupts === undefined) return run();
  const pane: ConfirmPane = new ConfirmPane({
    text: t("tui.ask.action", { action: common(label), name: vmName }),
    note: danger === undefined ? t("tui.ask.interrupts") : common(danger.lost),
    yes: t("tui.ask.yes", { action: common(label) }),
    run: () => run(),
    ...(name === "delete" && {
      other: { key: "d", label: t("tui.ask.with_disks"), run: () => run({ deleteDisks: true }) },
    }),
  }, () => desk.close(pane));
  desk.open(pane);
}

const warningsIn = (answer: unknown): readonly string[] =>
  (answer as { warnings?: readonly string[] } | null)?.warnings ?? [];

/** The keys of a VM. */
export function vmBindings(desk: Desk, vm: VM): Binding[] {
  const actions = KEYS.flatMap(([key, names]): Binding[] => {
    const name = names.find((each) => isAllowed(each, vm) && desk.data.may(ACTIONS[each].command, vm));
    if (name === undefined) return [];
    return [{
      keys: [key],
      label: common(actionWords(name, vm).label),
      run: () => act(desk, name, vm),
      ...(MINOR.has(name) && { isMinor: true as const }),
    }];
  });
  const mayOpen = vm.state === "running" && vm.responsive && desk.data.may("open_console", vm);
  return [
    ...actions,
    ...(mayOpen ? [{ keys: ["c"], label: t("tui.key.console"), run: () => desk.console(vm) }] : []),
  ];
}

/** What can be done to a VM, by key: what its state allows and the session may do, and nothing else is offered. */
import type { VM } from "../../lib/contract/mod.ts";
import { t } from "../../lib/i18n/mod.ts";
import { type ActionName, ACTIONS, actionWords, isAllowed } from "../../lib/vm/actions.ts";
import type { Desk } from "./desk.ts";
import { ConfirmPane } from "./pane/confirm.ts";
import type { Binding } from "./pane.ts";

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
      doing: `${vmName}: ${t(doing)}`,
      done: (answer) => [`${vmName} ${t(done)}`, ...warningsIn(answer)].join(". "),
    });
  if (danger === undefined && interrupts === undefined) return run();
  const pane: ConfirmPane = new ConfirmPane({
    text: `${t(label)}: ${vmName}?`,
    note: danger === undefined ? "What runs on it is interrupted." : t(danger.lost),
    yes: `${t(label)}, yes`,
    run: () => run(),
    ...(name === "delete" && {
      other: { key: "d", label: "delete it with its disks", run: () => run({ deleteDisks: true }) },
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
      label: t(actionWords(name, vm).label),
      run: () => act(desk, name, vm),
      ...(MINOR.has(name) && { isMinor: true as const }),
    }];
  });
  const mayOpen = vm.state === "running" && vm.responsive && desk.data.may("open_console", vm);
  return [
    ...actions,
    ...(mayOpen ? [{ keys: ["c"], label: "Console", run: () => desk.console(vm) }] : []),
  ];
}

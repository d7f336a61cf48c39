/** The list's keys: j and k move, x selects, / searches. Enter opens by itself: a link has the focus. */
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { ListLine } from "../vm/list_lines.ts";
import { isTyping } from "./typing.ts";
import type { VmListModel } from "./vm_list_model.ts";

/** State and elements that the keys act on. */
export interface ListKeys {
  readonly model: VmListModel;
  readonly list: RefObject<HTMLElement>;
  readonly search: RefObject<HTMLInputElement>;
  readonly lines: readonly ListLine[];
  readonly offsets: readonly number[];
}

/** Room that the sticky headers take at the top of the screen, and some air. */
const TOP = 110;
const BOTTOM = 80;

function vmsOf(line: ListLine): readonly { id: string }[] {
  return line.kind === "row" ? [line.vm] : line.kind === "cards" ? line.vms : [];
}

function focusedVm(): string | undefined {
  const row = document.activeElement?.closest<HTMLElement>("[data-vm]");
  return row?.dataset.vm;
}

/** Scrolls a line into view, and moves the focus to a VM on it once it is drawn. */
function moveTo(keys: ListKeys, vmId: string, lineIndex: number): void {
  const { list, offsets } = keys;
  if (list.current === null) return;
  const start = list.current.getBoundingClientRect().top + (offsets[lineIndex] ?? 0);
  const end = list.current.getBoundingClientRect().top + (offsets[lineIndex + 1] ?? 0);
  if (start < TOP) scrollBy(0, start - TOP);
  else if (end > innerHeight - BOTTOM) scrollBy(0, end - innerHeight + BOTTOM);
  const focus = () =>
    list.current?.querySelector<HTMLElement>(`[data-vm="${CSS.escape(vmId)}"] .vm-link`)
      ?.focus({ preventScroll: true });
  focus();
  // A line far away is drawn in the frame after the scrolling.
  if (focusedVm() !== vmId) requestAnimationFrame(() => requestAnimationFrame(focus));
}

function step(keys: ListKeys, by: 1 | -1): void {
  const places = keys.lines.flatMap((line, index) => vmsOf(line).map(({ id }) => ({ id, index })));
  const at = places.findIndex(({ id }) => id === focusedVm());
  const next = places[at < 0 ? (by === 1 ? 0 : places.length - 1) : at + by];
  if (next !== undefined) moveTo(keys, next.id, next.index);
}

/** Key → what it does. */
const KEYS: Readonly<Record<string, (keys: ListKeys, event: KeyboardEvent) => void>> = {
  "/": ({ search }) => {
    search.current?.focus();
    search.current?.select();
  },
  j: (keys) => step(keys, 1),
  k: (keys) => step(keys, -1),
  x: ({ model }) => {
    const id = focusedVm();
    if (id !== undefined) model.toggle(id);
  },
  X: ({ model }) => {
    const id = focusedVm();
    if (id !== undefined) model.toggle(id, true);
  },
  Escape: ({ model }) => model.clear(),
};

/** Listens to the list's keys while the list is on the page. */
export function useListKeys(keys: ListKeys): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const run = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : undefined;
      if (run === undefined || isTyping(event)) return;
      event.preventDefault();
      run(keys, event);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
}

/** Changes to a VM's hardware, collected from the forms of its page until they are saved together. */
import { computed, type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Hardware, HardwareChange, Output, VM } from "../contract/mod.ts";
import {
  changeOf,
  FormError,
  type FormTexts,
  type HardwareSectionName,
  SECTIONS,
} from "../vm/hardware_form.ts";
import { type Unsaved, unsavedIn } from "../vm/unsaved_hardware.ts";
import { useLeaveWarning } from "./use_leave_warning.ts";

/** Initial values of a form's fields: changes that others make meanwhile are not reverted. */
export interface Drawn {
  readonly next: Hardware;
  readonly vm: VM;
}

/** Changes in one form. */
interface Edit {
  readonly section: HardwareSectionName;
  readonly before: Hardware;
  readonly change: HardwareChange;
  /** Error of a field whose content cannot be sent. */
  readonly wrong: FormError | null;
}

/** Arguments of {@link useHardwareEdits}. */
export interface EditedHardware {
  readonly vm: Signal<VM>;
  readonly state: ReadonlySignal<Output<"get_hardware">>;
  readonly nextBootOnly: ReadonlySignal<boolean>;
  readonly texts: FormTexts;
}

/** State of the hardware forms of a page, and the functions that change it. */
export interface HardwareEdits {
  /** The element that has the forms. */
  readonly place: RefObject<HTMLDivElement>;
  readonly unsaved: ReadonlySignal<readonly Unsaved[]>;
  /** How often the forms were drawn again, whatever was typed into them. */
  readonly round: ReadonlySignal<number>;
  /** Values that the fields of a form are drawn from: they stay the same while a field of it is edited. */
  drawn(section: HardwareSectionName): Drawn;
  formOf(section: HardwareSectionName): HTMLFormElement | null;
  /** Looks what is changed now. */
  look(): void;
  /** Whether the browser lets the changed forms through; tells at the field where not. */
  isValid(): boolean;
  /** The changes as one. @throws {FormError} naming a field that cannot be sent */
  change(): HardwareChange;
  /** Draws all forms again, as they are stored. */
  reset(): void;
}

/** Whether something was typed that the browser does not let through. What was stored like that is no change. */
function hasInvalid(form: HTMLFormElement): boolean {
  return [...form.elements].some((each) =>
    (each instanceof HTMLInputElement || each instanceof HTMLTextAreaElement) && !each.validity.valid &&
    each.value !== each.defaultValue
  );
}

/** Collects what is changed in the forms of a VM's hardware, and has the browser ask before it is lost. */
export function useHardwareEdits({ vm, state, nextBootOnly, texts }: EditedHardware): HardwareEdits {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef(new Map<HardwareSectionName, Drawn>());
  const edits = useSignal<readonly Edit[]>([]);
  const round = useSignal(0);
  const formOf = (section: HardwareSectionName) =>
    place.current?.querySelector<HTMLFormElement>(`form[data-section="${section}"]`) ?? null;

  const editIn = (section: HardwareSectionName): Edit[] => {
    const form = formOf(section);
    const first = drawn.current.get(section);
    if (form === null || first === undefined) return [];
    const found = { section, before: first.next };
    try {
      const change = changeOf(section, new FormData(form), first.next, first.vm, texts);
      const isChanged = Object.keys(change).length > 0 || hasInvalid(form);
      return isChanged ? [{ ...found, change, wrong: null }] : [];
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      return [{ ...found, change: {}, wrong: error }];
    }
  };
  const look = () => {
    const found = SECTIONS.flatMap(editIn);
    if (found.length > 0 || edits.peek().length > 0) edits.value = found;
  };
  const unsaved = useMemo(() =>
    computed(() =>
      edits.value.flatMap(({ section, before, change, wrong }) => {
        const found = unsavedIn(
          change,
          { next: before, live: state.value.live },
          nextBootOnly.value,
        );
        // A field that cannot be sent is changed all the same.
        return found.length > 0 ? found : [{ field: wrong?.field ?? section, needsRestart: false }];
      })
    ), []);
  // What the browser itself kept over a reload, or the server of a refused form, is unsaved, too.
  useEffect(look, []);
  useLeaveWarning(() => edits.peek().length > 0);

  return {
    place,
    unsaved,
    round,
    formOf,
    look,
    drawn(section) {
      const now = { next: state.value.next, vm: vm.value };
      const isEdited = edits.value.some((each) => each.section === section);
      if (!isEdited || !drawn.current.has(section)) drawn.current.set(section, now);
      return drawn.current.get(section)!;
    },
    isValid: () => edits.peek().every(({ section }) => formOf(section)?.reportValidity() ?? true),
    change() {
      const wrong = edits.peek().find((each) => each.wrong !== null)?.wrong;
      if (wrong) throw wrong;
      return Object.assign({}, ...edits.peek().map(({ change }) => change));
    },
    reset() {
      edits.value = [];
      round.value++;
    },
  };
}

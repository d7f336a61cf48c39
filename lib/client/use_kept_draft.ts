/** A form that was filled in and left – reloaded, or gone back to – is as it was left. For this tab alone. */
import { useEffect } from "preact/hooks";
import { entryKey } from "./use_kept_place.ts";

const KEY = "kvmm-draft:";

/** A form's model. */
export interface KeptForm<Draft extends object> {
  /** What is to be kept; null where nothing was filled in, or it was sent. */
  draft(): Draft | null;
  /** Takes up what was kept. */
  restore(draft: Draft): void;
}

/** A draft as it is kept: without passwords. */
export function draftText(draft: object): string {
  const isSecret = (key: string, value: unknown) => /password/i.test(key) && typeof value === "string";
  return JSON.stringify(draft, (key, value) => isSecret(key, value) ? undefined : value);
}

/** Keeps a form's draft for each entry of the history. */
export function useKeptDraft<Draft extends object>(form: KeptForm<Draft>): void {
  useEffect(() => {
    const key = KEY + entryKey();
    const kept = sessionStorage.getItem(key);
    if (kept !== null) form.restore(JSON.parse(kept) as Draft);
    const keep = () => {
      const draft = form.draft();
      if (draft === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, draftText(draft));
    };
    addEventListener("pagehide", keep);
    return () => removeEventListener("pagehide", keep);
  }, []);
}

/** A form that was filled in and left – reloaded, or gone back to – is as it was left. For this tab alone. */
import { useEffect } from "preact/hooks";
import { isSecretName } from "../text/secret_fields.ts";
import { entryKey } from "./use_kept_place.ts";

const KEY = "kvmm-draft:";

/** A form's model. */
export interface KeptForm<Draft extends object> {
  /** Draft to keep; null when there is none, or the form was sent. */
  draft(): Draft | null;
  /** Takes up what was kept. */
  restore(draft: Draft): void;
}

/** A draft as it is kept: without secrets. */
export function draftText(draft: object): string {
  return JSON.stringify(draft, (key, value) => isSecretName(key) && value !== null ? undefined : value);
}

/** Takes up what was kept. What another version of the page has kept may be no draft of this one: it is left alone. */
export function restoreDraft<Draft extends object>(form: KeptForm<Draft>, kept: string): void {
  try {
    form.restore(JSON.parse(kept) as Draft);
  } catch (error) {
    console.warn("a draft could not be taken up", error);
  }
}

/** Somebody signs out: the form that they leave is not kept either. */
let isForgotten = false;

/** Forgets all drafts of this tab: who signs in next must not find them. */
export function forgetDrafts(): void {
  isForgotten = true;
  const keys = Array.from({ length: sessionStorage.length }, (_, index) => sessionStorage.key(index));
  for (const key of keys) if (key?.startsWith(KEY)) sessionStorage.removeItem(key);
}

/** Keeps a form's draft for each entry of the history. */
export function useKeptDraft<Draft extends object>(form: KeptForm<Draft>): void {
  useEffect(() => {
    const key = KEY + entryKey();
    const keep = () => {
      const draft = isForgotten ? null : form.draft();
      if (draft === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, draftText(draft));
    };
    addEventListener("pagehide", keep);
    const kept = sessionStorage.getItem(key);
    if (kept !== null) restoreDraft(form, kept);
    return () => removeEventListener("pagehide", keep);
  }, []);
}

/** Small choices that this browser keeps for its person. What cannot be kept (storage is off) is only not kept. */

/** The choice that was made before, where it still is one. */
export function storedChoice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
  try {
    const kept = localStorage.getItem(`kvmm.${name}`);
    return choices.find((choice) => choice === kept) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keeps a choice. */
export function storeChoice(name: string, choice: string): void {
  try {
    localStorage.setItem(`kvmm.${name}`, choice);
  } catch {
    // It counts for this page.
  }
}

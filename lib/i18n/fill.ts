/** Texts with `{places}`. Pure. */

/**
 * Fills the `{places}` of a text. One without a value stays as it is: it is a bug to be seen. A full stop after a place
 * is left out where the value brings its own, as messages of other programs do; also those of Chinese and Japanese.
 */
export function fill(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replace(/\{(\w+)\}([.。]?)/g, (place, name: string, stop: string) => {
    if (!Object.hasOwn(values, name)) return place;
    const value = String(values[name]);
    return /[.!?…。！？]$/.test(value) ? value : value + stop;
  });
}

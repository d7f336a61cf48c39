import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSteady } from "../../lib/client/steady.ts";

/** Props of {@link SteadyButton}. */
export interface SteadyButtonProps extends JSX.ButtonHTMLAttributes<HTMLButtonElement> {
  /** Names what a click does, and to what: for a second after it changed, clicks are ignored. */
  what: string;
  /** It comes up where another button may have been: clicks are ignored for its first second, too. */
  arrives?: boolean;
  /** Something is under way: clicks are ignored, and it looks as before. */
  busy?: boolean;
}

/**
 * A button that keeps its place while what it does changes by events. While clicks are ignored it keeps its look and
 * its focus, and screen readers hear that it cannot be used.
 */
export function SteadyButton(
  { what, arrives = false, busy = false, onClick, disabled, ...shown }: SteadyButtonProps,
) {
  const button = useRef<HTMLButtonElement>(null);
  const isSteady = useSteady(what, arrives);
  const ignores = busy || !isSteady;
  // A browser takes the focus from a button that is switched off: the keyboard goes on next to it.
  const hadFocus = button.current !== null && document.activeElement === button.current;
  useEffect(() => {
    if (!disabled || !hadFocus) return;
    const menus = button.current?.parentElement?.querySelectorAll<HTMLElement>('[aria-haspopup="menu"]');
    menus?.[0]?.focus();
  }, [disabled]);
  return (
    <button
      {...shown}
      ref={button}
      disabled={disabled}
      aria-disabled={ignores && !disabled ? "true" : undefined}
      onClick={(event) => {
        if (ignores) event.preventDefault();
        else onClick?.(event);
      }}
    />
  );
}

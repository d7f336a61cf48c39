/** Has the browser ask before a page is left with something on it that would be lost. */
import { useEffect } from "preact/hooks";

/** @param isUnsaved asked when the page is left */
export function useLeaveWarning(isUnsaved: () => boolean): void {
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => isUnsaved() && event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);
}

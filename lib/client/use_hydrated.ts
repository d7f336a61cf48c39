/** Whether an island's first render, which must be as the server's was, is over. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** False on the server and in the first render in the browser, then true. */
export function useHydrated(): boolean {
  const hydrated = useSignal(false);
  useEffect(() => {
    hydrated.value = true;
  }, []);
  return hydrated.value;
}

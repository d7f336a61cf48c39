/** Parts of pages whose script no page carries: they are loaded once they are wanted. */
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { reportFailure } from "./toasts.ts";

/** Such a part, and where it is once it was loaded. */
export interface LazyPart<Props> {
  readonly load: () => Promise<ComponentType<Props>>;
  loaded: ComponentType<Props> | null;
}

/** A part that is not loaded yet. @param load gives its component, by `import()` */
export const lazyPart = <Props>(load: () => Promise<ComponentType<Props>>): LazyPart<Props> => ({
  load,
  loaded: null,
});

/** The component of a part; null until it is wanted and there. */
export function useLazy<Props>(part: LazyPart<Props>, isWanted: boolean): ComponentType<Props> | null {
  const component = useSignal(part.loaded);
  useEffect(() => {
    if (!isWanted || component.value !== null) return;
    part.load().then(
      (loaded) => component.value = part.loaded = loaded,
      (error) => reportFailure(undefined, error),
    );
  }, [isWanted]);
  return component.value;
}

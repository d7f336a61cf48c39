import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { based } from "../../lib/client/base.ts";
import { live } from "../../lib/client/live.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { isLive, STATES } from "../../lib/vm/state.ts";
import { oneLine } from "../../lib/text/text.ts";
import { t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

/** Milliseconds between two pictures: a little more than the server gives one out for. */
const EVERY_MS = 5000;
/** … and until it is tried again where there was none. */
const NONE_MS = 30_000;

/** Loads a picture before it is shown, so that the old one stays until the new one is there. */
function load(address: string, isWanted: () => boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const picture = new Image();
    picture.onload = () => resolve(isWanted() ? address : null);
    picture.onerror = () => resolve(null);
    picture.src = based(address);
  });
}

/** Calls again and again while an element is seen by somebody, after the milliseconds it gives. */
function whileSeen(element: Element, run: () => Promise<number>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isSeen = false, isWaiting = false, isOver = false;
  const turn = async () => {
    if (isOver || isWaiting || !isSeen || document.hidden) return;
    isWaiting = true;
    const pause = await run();
    timer = setTimeout(() => {
      isWaiting = false;
      void turn();
    }, pause);
  };
  const observer = new IntersectionObserver((entries) => {
    isSeen = entries.at(-1)?.isIntersecting ?? false;
    void turn();
  });
  observer.observe(element);
  document.addEventListener("visibilitychange", turn);
  return () => {
    isOver = true;
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener("visibilitychange", turn);
  };
}

/** What a VM's screen shows, small, kept new while it is seen; its box has the same size whatever it shows. */
export function Thumbnail({ vm }: { vm: VM }) {
  const box = useRef<HTMLDivElement>(null);
  const picture = useSignal<string | null>(null);
  const isOn = isLive(vm);

  useEffect(() => {
    picture.value = null;
    if (!isOn || box.current === null) return;
    let isWanted = true;
    const stop = whileSeen(box.current, async () => {
      // While libvirt is away there is no newer picture, and asking for one would only fail.
      if (live.connection.peek() !== null && !live.controllable.peek()) return EVERY_MS;
      const address = `/api/v1/vms/${
        encodeURIComponent(vm.id)
      }/screenshot.png?thumbnail=true&at=${Date.now()}`;
      const shown = await load(address, () => isWanted);
      if (isWanted) picture.value = shown;
      return shown === null ? NONE_MS : EVERY_MS;
    });
    return () => {
      isWanted = false;
      stop();
    };
  }, [vm.id, isOn]);

  return (
    <div ref={box} class="thumbnail" data-off={isOn ? undefined : ""}>
      {picture.value !== null
        ? <img src={picture.value} alt={t("screen.of", { name: oneLine(vm.name, 60) })} />
        : (
          <span class="thumbnail-none">
            <Icon name="system" />
            <span>
              {t(!isOn ? STATES[vm.state].word : vm.graphics.length === 0 ? "screen.lacking" : "screen.none")}
            </span>
          </span>
        )}
    </div>
  );
}

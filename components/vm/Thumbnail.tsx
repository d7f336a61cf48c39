import { isOfferedNow } from "../../lib/access/looking.ts";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { based } from "../../lib/client/base.ts";
import { live } from "../../lib/client/live.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { isLive, STATES } from "../../lib/vm/state.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatClock } from "../../lib/text/time.ts";
import { hangs } from "../../lib/i18n/en/hangs.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

/** Milliseconds between two pictures: a little more than the server gives one out for. */
const EVERY_MS = 5000;
/** … and until it is tried again where there was none. */
const NONE_MS = 30_000;

/** A picture that was loaded. */
interface Picture {
  readonly address: string;
  /** Milliseconds since 1970, by the reader's clock. */
  readonly at: number;
}

/** Loads a picture before it is shown, so that the old one stays until the new one is there. */
function load(address: string, isWanted: () => boolean): Promise<Picture | null> {
  return new Promise((resolve) => {
    const picture = new Image();
    picture.onload = () => resolve(isWanted() ? { address, at: Date.now() } : null);
    picture.onerror = () => resolve(null);
    picture.src = based(address);
  });
}

/** Why there is no picture. */
function noneWord(vm: VM) {
  if (!isLive(vm)) return STATES[vm.state].word;
  if (!vm.responsive) return "state.unresponsive";
  return vm.graphics.length === 0 ? "screen.lacking" : "screen.none";
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

/**
 * Small picture of a VM's screen, updated while it is in sight; its box always has the same size. A VM that does not
 * respond is not asked: its last picture stays, with its time.
 */
export function Thumbnail({ vm }: { vm: VM }) {
  const box = useRef<HTMLDivElement>(null);
  const picture = useSignal<Picture | null>(null);
  const isOn = isLive(vm);
  const responds = useRef(vm.responsive);
  responds.current = vm.responsive;

  useEffect(() => {
    picture.value = null;
    if (!isOn || box.current === null || !isOfferedNow("screenshot_vm", vm.id)) return;
    let isWanted = true, failures = 0;
    const stop = whileSeen(box.current, async () => {
      // While libvirt is away or the VM does not respond there is no newer picture, and asking for one would only fail.
      if (!responds.current || (live.connection.peek() !== null && !live.controllable.peek())) {
        return EVERY_MS;
      }
      const address = `/api/v1/vms/${
        encodeURIComponent(vm.id)
      }/screenshot.png?thumbnail=true&at=${Date.now()}`;
      const shown = await load(address, () => isWanted);
      failures = shown === null ? failures + 1 : 0;
      // One that fails may be the first that is heard of a VM that does not respond: what was seen last stays
      if (isWanted && (shown !== null || failures > 1)) picture.value = shown;
      return shown === null ? NONE_MS : EVERY_MS;
    });
    return () => {
      isWanted = false;
      stop();
    };
  }, [vm.id, isOn]);

  const shown = picture.value;
  return (
    <div ref={box} class="thumbnail" data-off={isOn ? undefined : ""}>
      {shown !== null
        ? (
          <>
            <img src={shown.address} alt={t("screen.of", { name: oneLine(vm.name, 60) })} />
            {!vm.responsive && (
              <span class="thumbnail-age">
                {textsOf(hangs).t("hangs.picture", { time: formatClock(shown.at) })}
              </span>
            )}
          </>
        )
        : (
          <span class="thumbnail-none">
            <Icon name="system" />
            <span>
              {t(noneWord(vm))}
            </span>
          </span>
        )}
    </div>
  );
}

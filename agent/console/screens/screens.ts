/**
 * Pictures of screens, taken only when somebody asks, and of each VM at most one of a kind in a while, however
 * many ask. What failed is not tried again in that time either: a VM that hangs must not take a call after another.
 */
import type { ScreenshotRecord } from "../../../ffi/calls/mod.ts";
import { SCREENSHOT_MS, THUMBNAIL_WIDTH } from "../../../lib/contract/screens.ts";

/** A picture and when it was taken, in milliseconds since 1970. */
export interface ScreenPicture extends ScreenshotRecord {
  readonly takenAt: number;
}

/** Takes a picture: one libvirt call. */
export type Capture = (uuid: string, mostWidth: number | undefined) => Promise<ScreenshotRecord>;

/** Pictures taken at once: the calls share their part of the pool with others that may hang. */
const AT_ONCE = 2;

export class Screens {
  readonly #capture: Capture;
  readonly #freshMs: number;
  readonly #kept = new Map<string, Promise<ScreenPicture>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param freshMs how long a picture is given out again, from when it was there */
  constructor(capture: Capture, freshMs = SCREENSHOT_MS) {
    this.#capture = capture;
    this.#freshMs = freshMs;
  }

  /** Pictures that are kept right now: none without viewers. */
  get kept(): number {
    return this.#kept.size;
  }

  /** A picture with at most that age. @throws errors of the call */
  get(uuid: string, thumbnail: boolean): Promise<ScreenPicture> {
    const key = `${uuid} ${thumbnail}`;
    let picture = this.#kept.get(key);
    if (picture === undefined) {
      this.#kept.set(key, picture = this.#take(uuid, thumbnail));
      const forget = () => Deno.unrefTimer(setTimeout(() => this.#kept.delete(key), this.#freshMs));
      picture.then(forget, forget);
    }
    return picture;
  }

  async #take(uuid: string, thumbnail: boolean): Promise<ScreenPicture> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      const taken = await this.#capture(uuid, thumbnail ? THUMBNAIL_WIDTH : undefined);
      return { ...taken, takenAt: Date.now() };
    } finally {
      const next = this.#waiting.shift();
      if (next) next(); // takes this one's place
      else this.#running--;
    }
  }
}

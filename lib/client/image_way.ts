/** The ways by which an image comes into a form. What fetches it is loaded once a way is opened: no page carries it. */
import { computed, signal } from "@preact/signals";
import type { Image } from "../contract/mod.ts";
import type { ImageArrival } from "./image_arrival.ts";

/** Sources of an image. */
export const IMAGE_WAYS = ["catalog", "url", "upload"] as const;
export type ImageWay = typeof IMAGE_WAYS[number];

/** `pool/name` of an image. */
export const imageRef = ({ pool, name }: Pick<Image, "pool" | "name">): string => `${pool}/${name}`;

export class ImageWays {
  /** Fetches images; null until the first source is opened. */
  readonly arrival = signal<ImageArrival | null>(null);
  /** The way that is open. */
  readonly open = computed(() => this.arrival.value?.way.value ?? null);
  /** Something is on its way. */
  readonly isBusy = computed(() => this.arrival.value?.isBusy.value ?? false);

  /** @param pool the one that images go into first; empty for the server's choice @param onArrived as {@link ImageArrival} has it */
  constructor(private pool: string, private readonly onArrived: (ref: string) => Promise<boolean>) {}

  /** There is a pool for images by now. */
  havePool(pool: string): void {
    this.pool ||= pool;
    const arrival = this.arrival.peek();
    if (arrival !== null) arrival.pool.value ||= pool;
  }

  /** Opens a way, or closes it. */
  async toggle(way: ImageWay): Promise<void> {
    const { ImageArrival } = await import("./image_arrival.ts");
    const arrival = this.arrival.value ??= new ImageArrival(this.pool, this.onArrived);
    await arrival.toggle(way);
  }
}

/** Waits for work, but not longer than so many milliseconds; what it comes to later is for others. @throws what it fails with */
export async function within(ms: number, work: Promise<unknown> | undefined): Promise<void> {
  let limit: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([work, new Promise((resolve) => limit = setTimeout(resolve, ms))]);
  } finally {
    clearTimeout(limit);
  }
}

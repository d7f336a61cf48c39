/** Whether work was done within so many milliseconds; what it comes to later is nobody's here. @throws what it fails with */
export async function soon(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  const done = await Promise.race([work.then(() => true), limit]).finally(() => clearTimeout(timer));
  if (!done) work.catch(() => {/* told by its job, or by the next look */});
  return done;
}

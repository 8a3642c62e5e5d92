/** Text that stands for itself within a LIKE pattern (also within Prisma's `contains`, which does not escape). */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

/** The `aad` of each sealed column: the row that the secret belongs to. */
export function databaseAad(databaseId: string): string {
  return databaseId;
}

export function destinationAad(destinationId: string): string {
  return destinationId;
}

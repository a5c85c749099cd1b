export function hidePasswords(arguments_: string[], environment: Record<string, string | undefined>): string[]

export function makeProject(folder: string, linked: boolean, project?: string): string;

export interface DoctorOptions { readonly json?: boolean | undefined }
export function doctor(_o: DoctorOptions, _p: string): Promise<number> { return Promise.resolve(0); }

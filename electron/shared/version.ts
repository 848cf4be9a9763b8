/** The product's version; engine and helper compare it in their first words (S38). */
export const version = '0.1.0';

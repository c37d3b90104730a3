first
// 2: error: 'missing.h' file not found

struct record record; // error 15: tentative definition has type 'struct record' that is never completed
enum number number; // error 13: tentative definition has type 'enum number' that is never completed
extern enum number elsewhere;
enum later later;
enum later { FIRST };

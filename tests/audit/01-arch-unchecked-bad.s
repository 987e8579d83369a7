; class 1: arch unchecked
ld nr
jeq #0, allow
jeq #1, allow
ret errno(EPERM)
allow: ret allow

; class 4: restricted on one abi in a list
ld arch
jeq #AUDIT_ARCH_X86_64, ours
jeq #AUDIT_ARCH_I386, theirs, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #41, look
jeq #60, allow, deny
theirs: ld nr
jeq #1, allow
jeq #102, allow
jeq #359, allow, deny
look: ld lo32(arg0)
jeq #1, allow, deny
allow: ret allow
deny: ret errno(EPERM)
foreign: ret kill_process

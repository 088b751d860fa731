@echo off
rem Starts the Twocans server, wherever this folder is. Arguments are passed on.
setlocal EnableExtensions DisableDelayedExpansion
title Twocans server

rem pushd also gives a network folder a drive letter, without which it can't be the current folder.
pushd "%~dp0"
if errorlevel 1 goto no_folder
if not exist server.py goto alone

set "python="
set "older="
call :try py -3
rem Some managers of Python versions make "python" a batch file, which would not come back here by itself.
if not defined python call :try cmd /d /c python
if defined python goto start
if defined older goto too_old
goto no_python

:start
rem -I: what other programs have set in PYTHONPATH and PYTHONHOME plays no part.
%python% -I server.py %*
set "code=%errorlevel%"
popd
if "%code%"=="0" exit /b 0
echo.
echo Twocans server ended with an error (code %code%). The lines above say why.
pause
exit /b %code%

:try
rem A Python that is missing, or only the Microsoft Store's stand-in for one, answers with some other code.
%* -E -c "import sys; sys.exit(40 if sys.version_info >= (3, 11) else 41)" >nul 2>nul
if %errorlevel% equ 40 set "python=%*"
if %errorlevel% equ 41 set "older=%*"
exit /b 0

:too_old
popd
echo Twocans server needs Python 3.11 or newer, and the Python on this computer is older.
echo Install the newest one from www.python.org, then start this file again.
pause
exit /b 1

:no_python
popd
echo Twocans server needs Python, and there is none on this computer.
echo Install it from www.python.org, tick "Add python.exe to PATH" while you do, then start this file again.
pause
exit /b 1

:alone
popd
echo Twocans server needs the files that came with this one, and they are not beside it.
echo Unpack the whole folder, then start this file there.
pause
exit /b 1

:no_folder
echo Twocans server can't open its own folder: "%~dp0"
pause
exit /b 1
